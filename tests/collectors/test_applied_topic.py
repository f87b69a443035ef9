"""Effects in an output topic: each record once, as an effect of the record that its headers name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.applied.topic import TopicApplied
from rtoanalytics_collectors.failures import PartialLookError
from rtoanalytics_collectors.identity import from_key
from rtoanalytics_collectors.kafka.tailing import Drain, Gap, TailRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics_collectors.kafka import Headers

SOURCE = {"topic": "src-topic", "partition": "src-partition", "record_offset": "src-offset"}
LOOKED_AT = 5_000_000


@dataclass
class ListedTail:
    """A topic whose looks a test has listed."""

    drains: list[Drain]
    topic: str = "out-1"
    started_at: list[Mapping[int, int] | None] = field(default_factory=list)
    is_closed: bool = False

    def follow(self, start: Mapping[int, int] | None) -> ListedTail:
        """Begin to follow it."""
        self.started_at.append(start)
        return self

    def drain(self) -> Drain:
        """The next look."""
        return self.drains.pop(0)

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


def record(partition: int, offset: int, headers: Headers = (), timestamp_ms: int | None = 3) -> TailRecord:
    """A record of the output topic."""
    kind = None if timestamp_ms is None else "LogAppendTime"
    return TailRecord(partition, offset, b"k", b"v", headers, timestamp_ms, kind, 0, is_history=False)


def test_headers_name_the_source() -> None:
    """Coordinates from the last header of a name, as text or as a Java integer; what is no number is null."""
    headers = [
        ("src-topic", b"x"),
        ("src-topic", b"payments"),
        ("src-partition", b"2"),
        ("src-offset", (9).to_bytes(8, "big")),
    ]
    tail = ListedTail([Drain([record(1, 7, headers), record(0, 3, [("src-offset", b"?")], None)], LOOKED_AT)])
    applied = TopicApplied("enriched", tail.follow, SOURCE, record_id=from_key, constants={"cluster": "primary"})
    first, second = applied.collect()["applied"]
    assert first == {
        "downstream": "enriched",
        "cluster": "primary",
        "topic": "payments",
        "partition": 2,
        "record_offset": 9,
        "record_id": "k",
        "applied_at": 3_000,
        "application_id": "out-1-1-7",
    }
    assert (second["topic"], second["record_offset"], second["applied_at"]) == (None, None, LOOKED_AT)
    assert applied.timestamp_types == {"LogAppendTime"}
    assert tail.started_at == [None]


def test_capture_goes_on_behind_what_is_captured() -> None:
    """A new process starts at the next offset of each partition, also where the topic's name has dashes."""
    tail = ListedTail([Drain([], LOOKED_AT)])
    applied = TopicApplied("enriched", tail.follow, SOURCE)
    names = ["out-1-0-9", "out-1-0-4", "out-1-2-0"]
    applied.resume([{"downstream": "enriched", "application_id": name} for name in names] + [{"downstream": "x"}])
    applied.collect()
    assert tail.started_at == [{0: 10, 2: 1}]


def test_a_look_that_is_not_whole_keeps_what_it_has() -> None:
    """A partition that is behind, or lost records: the rows are handed over, and the look is not called whole.

    Nor does the first whole look after lost records vouch for the time before it.
    """
    gap = Gap(1, 4, 8, "retention")
    tail = ListedTail(
        [
            Drain([record(0, 1)], LOOKED_AT, {2: "has no leader"}),
            Drain([record(1, 8)], LOOKED_AT, gaps=(gap,)),
            Drain([], LOOKED_AT),
            Drain([], LOOKED_AT),
        ]
    )
    applied = TopicApplied("enriched", tail.follow, SOURCE)
    with pytest.raises(PartialLookError, match="partition 2 has no leader") as partial:
        applied.collect()
    assert [row["application_id"] for row in partial.value.sample["applied"]] == ["out-1-0-1"]
    continuous = [applied.is_continuous]
    with pytest.raises(PartialLookError, match=r"partition 1 lost 4 to 8 \(retention\)"):
        applied.collect()
    continuous.append(applied.is_continuous)
    for _ in range(2):
        applied.collect()
        continuous.append(applied.is_continuous)
    assert continuous == [True, False, False, True]
    applied.close()
    assert tail.is_closed


def test_headers_are_for_columns_of_the_evidence() -> None:
    """A column that evidence does not have is refused before anything is asked."""
    with pytest.raises(UsageError, match='"offset" is no column of applied'):
        TopicApplied("enriched", ListedTail([]).follow, {"offset": "x"})
