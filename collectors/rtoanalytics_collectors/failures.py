"""Failures a capture lives through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping


class TransientError(ClusterError):
    """A target that could not be looked at just now; the next tick may succeed.

    The sampling loop writes neither rows nor a heartbeat for it, so that the hole shows in the evidence.
    """


class PartialLookError(TransientError):
    """A look that found something but did not get to the end of it: a partition without a leader, a long backlog.

    The sampling loop writes the rows it carries, and no heartbeat.
    """

    def __init__(self, message: str, sample: Mapping[str, list[dict[str, Any]]]) -> None:
        super().__init__(message)
        self.sample = sample
