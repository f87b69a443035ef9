"""Failures a capture lives through."""

from __future__ import annotations

from rtoanalytics.errors import ClusterError


class TransientError(ClusterError):
    """A target that could not be looked at just now; the next tick may succeed.

    The sampling loop writes neither rows nor a heartbeat for it, so that the hole shows in the evidence.
    """
