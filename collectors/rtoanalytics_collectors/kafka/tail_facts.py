"""What a tail of a topic delivers. Knows no client library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics_collectors.kafka.facts import Headers


class TailRecord(NamedTuple):
    """One record of the topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int | None
    timestamp_type: str | None
    """CreateTime or LogAppendTime; None for a record without a timestamp."""
    leader_epoch: int | None
    is_history: bool
    """Whether it was in the log already when this tail began."""

    @property
    def timestamp_us(self) -> int | None:
        """The timestamp in microseconds; None where there is none, or one that the evidence cannot hold."""
        if self.timestamp_ms is None or not FIRST_INSTANT_US <= self.timestamp_ms * 1_000 < LAST_INSTANT_US:
            return None
        return self.timestamp_ms * 1_000


@dataclass(frozen=True)
class Gap:
    """Records that can no longer be read, or a log that was rewritten."""

    partition: int
    from_offset: int
    """First offset (inclusive) that is missing, or where reading began again."""
    to_offset: int
    """End (exclusive)."""
    reason: str
    """`retention`: deleted before they were read. `truncation`: the log ended below what had been read (an unclean
    election, or a topic created anew), so it is read again from its start; records may come twice."""


@dataclass(frozen=True)
class Drain:
    """What one look found."""

    records: list[TailRecord]
    """Offset order within a partition."""
    asked_at: int
    """When the log ends were asked, µs since the epoch: what `is_caught_up` holds for."""
    behind: Mapping[int, str] = field(default_factory=dict)
    """Partitions that were not read to their end, and why."""
    gaps: tuple[Gap, ...] = ()

    @property
    def is_caught_up(self) -> bool:
        """Whether every record that was in the topic at `asked_at` has been delivered, now or by an earlier look."""
        return not self.behind


class Tail(Protocol):
    """A topic that is followed: `KafkaTail`, or a list in a test."""

    @property
    def topic(self) -> str:
        """Name of the topic."""
        ...

    def drain(self) -> Drain:
        """Everything new. Raises TransientError when nothing of the topic could be looked at."""
        ...

    def close(self) -> None:
        """Release the connections."""
        ...
