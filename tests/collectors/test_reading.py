"""Records of one partition as the client's messages become columns, and columns become rows of `log_records`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.identity import from_header, from_key, hashed
from rtoanalytics_collectors.kafka import FENCE_HEADER, LogBatch, LogRecord, reading
from rtoanalytics_collectors.kafka.client import client_module
from rtoanalytics_collectors.log_records.columns import rows_of, without_fences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics_collectors.identity import RecordId

PLACE = ("t", 0)
SCAN = {"cluster": "primary", "topic": "t", "partition": 0, "scanned_at": 5_000_000}


class FakeReader:
    """A consumer that hands out messages as they were laid out for it, a list for each question."""

    def __init__(self, answers: Sequence[Sequence[Any]]) -> None:
        self.answers = [list(answer) for answer in answers]
        self.asked: list[int] = []

    def assign(self, places: list[Any]) -> None:
        """Begin anywhere."""

    def consume(self, most: int, _seconds: float) -> list[Any]:
        self.asked.append(most)
        return self.answers.pop(0) if self.answers else []


def message(offset: int, **values: Any) -> Any:  # noqa: ANN401
    """A message of the client."""
    known = {"key": b"k%d" % offset, "value": b"v", "timestamp": (1, 1_000 + offset), "leader_epoch": 4}
    return client_module().Message(topic="t", partition=0, offset=offset, **{**known, **values})


def failed(code: str, offset: int = -1) -> Any:  # noqa: ANN401
    """What the client hands out in the place of a record."""
    errors = client_module().KafkaError
    error = errors(getattr(errors, code))
    return client_module().Message(topic="t", partition=0, offset=offset, error=error, timestamp=(0, -1))


def read(*answers: Sequence[Any], to_offset: int) -> list[LogBatch]:
    """Batches of what a reader hands out."""
    return list(reading.read_batches(FakeReader(answers), PLACE, 0, to_offset, "primary"))


def test_records_without_a_gap_are_one_batch() -> None:
    """Offsets, keys, timestamps and epochs are those of the messages; no headers are no column."""
    [batch] = read([message(0), message(1)], to_offset=2)
    assert (list(batch.offsets), batch.keys) == ([0, 1], [b"k0", b"k1"])
    assert (batch.timestamps_ms, batch.timestamp_types) == ([1_000, 1_001], ["CreateTime"] * 2)
    assert (batch.leader_epochs, batch.headers) == ([4, 4], None)


def test_records_may_differ_in_everything() -> None:
    """Gaps in the offsets, a new leader, both kinds of timestamps and none, headers on some."""
    messages = [
        message(0, leader_epoch=3, timestamp=(2, 9)),
        message(4, headers=[("id", b"x")]),
        message(5, key=None, timestamp=(0, -1)),
    ]
    [batch] = read(messages, to_offset=6)
    assert list(batch.offsets) == [0, 4, 5]
    assert batch.leader_epochs == [3, 4, 4]
    assert batch.timestamp_types == ["LogAppendTime", "CreateTime", None]
    assert batch.timestamps_ms == [9, 1_004, None]
    assert batch.headers == [None, [("id", b"x")], None]
    assert batch.keys == [b"k0", b"k4", None]


def test_end_of_the_log_ends_a_gap() -> None:
    """Where the last offsets hold no record, the client tells the end; records behind the asked end are left out."""
    batches = read([message(0), failed("_PARTITION_EOF", 7)], to_offset=7)
    assert [list(batch.offsets) for batch in batches] == [[0]]
    batches = read([message(0), message(1), message(3), message(9)], to_offset=3)
    assert [list(batch.offsets) for batch in batches] == [[0, 1]]
    assert read([message(9)], to_offset=3) == []


def test_no_more_is_asked_for_than_there_is() -> None:
    """The client is not waited for when everything has come."""
    reader = FakeReader([[message(0), message(1)], [message(2)]])
    assert [len(batch) for batch in reading.read_batches(reader, PLACE, 0, 3, "primary")] == [2, 1]
    assert reader.asked == [3, 1]


def test_error_of_the_client_is_ours() -> None:
    """What the cluster refuses is refused, with what was asked."""
    with pytest.raises(ClusterError, match=r"records of t-0: TOPIC_AUTHORIZATION_FAILED"):
        read([message(0), failed("TOPIC_AUTHORIZATION_FAILED")], to_offset=3)


def test_partition_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing comes any more before the end, it is said where."""
    monkeypatch.setattr(reading, "_READ_STALL_SECONDS", 0.0)
    with pytest.raises(TransientError, match="t-0 gave nothing for 0 s at offset 1, before 3"):
        read([message(0)], to_offset=3)


def record(offset: int, key: bytes | None = None, **values: Any) -> LogRecord:  # noqa: ANN401
    """A record as a reader sees it."""
    known = {"headers": (), "timestamp_ms": 1_000, "timestamp_type": "CreateTime", "leader_epoch": 4}
    return LogRecord(offset=offset, key=key, **{**known, **values})


def rows(records: Sequence[LogRecord], record_id: RecordId = from_key) -> list[dict[str, Any]]:
    """Rows as they are read from the evidence."""
    made = rows_of(LogBatch.of(records), SCAN, record_id)
    columns = {name: made.column(name).to_pylist() for name in made.schema.names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def test_row_has_what_the_record_and_its_scan_have() -> None:
    """Every column of `log_records`."""
    assert rows([record(7, b"id")]) == [
        {
            "cluster": "primary",
            "topic": "t",
            "partition": 0,
            "record_offset": 7,
            "record_id": "id",
            "appended_at": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
            "timestamp_type": "CreateTime",
            "leader_epoch": 4,
            "scanned_at": datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC),
        }
    ]


@pytest.mark.parametrize(
    "record_id",
    [from_key, hashed(from_key, b"a key of 16 bytes or more"), from_header("id")],
    ids=["key", "hash", "id"],
)
def test_identity_is_that_of_every_other_capture(record_id: RecordId) -> None:
    """Keys that are text, no text or missing, with headers and without."""
    records = [
        record(0, b"text"),
        record(1, b"\xff", headers=[("id", b"x")]),
        record(2, None, headers=[("other", None)]),
        record(3, b""),
    ]
    for some in (records, records[:1], records[3:]):
        assert [row["record_id"] for row in rows(some, record_id)] == [
            record_id(found.key, found.headers) for found in some
        ]


@pytest.mark.parametrize("timestamp_ms", [-(2**62), -1, 2**62, 7_258_118_400_000])
def test_timestamp_that_no_evidence_can_hold_is_none(timestamp_ms: int) -> None:
    """A producer may give any number as the timestamp of its record: it costs the record nothing else."""
    found = rows([record(0), record(1, timestamp_ms=timestamp_ms)])
    assert [row["appended_at"] is None for row in found] == [False, True]
    assert [row["record_offset"] for row in found] == [0, 1]


def test_fences_are_told_by_their_header() -> None:
    """They are left out wherever they stand, and the last one is said."""
    fence = [(FENCE_HEADER, b"mark")]
    records = [record(0), record(1, headers=fence), record(2, b"a"), record(3, headers=fence)]
    kept, is_fenced = without_fences(LogBatch.of(records))
    assert (list(kept.offsets), kept.keys, is_fenced) == ([0, 2], [None, b"a"], True)
    kept, is_fenced = without_fences(LogBatch.of(records[:3]))
    assert (list(kept.offsets), is_fenced) == ([0, 2], False)
