"""A tail of a topic that delivers what a test says, look by look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.kafka.tailing import Drain, TailRecord

if TYPE_CHECKING:
    from collections.abc import Mapping


def record(
    key: bytes | None,
    value: bytes | None,
    timestamp_ms: int | None = 2_000,
    *,
    offset: int = 0,
    is_history: bool = False,
) -> TailRecord:
    """One record of partition 0."""
    kind = None if timestamp_ms is None else "CreateTime"
    return TailRecord(0, offset, key, value, (), timestamp_ms, kind, None, is_history)


class FakeTail:
    """Every `drain` takes one of `looks`; when none is left, nothing is new."""

    def __init__(self, topic: str, *looks: list[TailRecord], asked_at: int = 1_000_000) -> None:
        self.topic = topic
        self.looks = list(looks)
        self.asked_at = asked_at
        self.behind: Mapping[int, str] = {}
        self.is_closed = False

    def drain(self) -> Drain:
        """The next look, a second after the last."""
        asked_at, self.asked_at = self.asked_at, self.asked_at + 1_000_000
        return Drain(self.looks.pop(0) if self.looks else [], asked_at, self.behind)

    def close(self) -> None:
        """Remember it."""
        self.is_closed = True
