"""Segments of a running capture are read batch by batch, whatever state their tail is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.bundle.spool import SegmentTail, evidence_name, open_segments
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from rtoanalytics_collectors.spool import Row


def beat(number: int) -> Row:
    """One heartbeat."""
    return {"collector": "acks", "occurred_at": number * 1_000_000, "interval_seconds": 1.0, "rows": number}


def rows_of(batches: list[pa.RecordBatch]) -> list[int]:
    """The row counts that the heartbeats carry."""
    return [value for batch in batches for value in batch.column("rows").to_pylist() if value is not None]


def test_each_look_takes_what_is_new(tmp_path: Path) -> None:
    """A segment is read once: every look returns the batches since the one before, and names their table."""
    with Spool(tmp_path, "heartbeats") as spool:
        spool.append(beat(1))
        spool.flush()
        (path,) = open_segments(tmp_path)
        tail = SegmentTail(path)
        assert rows_of(tail.read_new()) == [1]
        assert tail.table == "heartbeats"
        assert tail.read_new() == []
        spool.append(beat(2))
        spool.flush()
        assert rows_of(tail.read_new()) == [2]
        assert evidence_name(path) == "heartbeats-1.parquet"


def test_a_torn_tail_waits_for_its_rest(tmp_path: Path) -> None:
    """However far a batch has been written, the whole ones before it are read, and it is read once it is whole."""
    with Spool(tmp_path, "heartbeats") as spool:
        for number in (1, 2):
            spool.append(beat(number))
            spool.flush()
        (path,) = open_segments(tmp_path)
        content = path.read_bytes()
    growing = tmp_path / "growing.arrows"
    tail = SegmentTail(growing)
    seen: list[int] = []
    for end in range(0, len(content) + 1, 7):
        growing.write_bytes(content[:end])
        seen += rows_of(tail.read_new())
        assert seen == [1, 2][: len(seen)]
    growing.write_bytes(content)
    seen += rows_of(tail.read_new())
    assert seen == [1, 2]


def test_a_segment_that_became_evidence_is_gone(tmp_path: Path) -> None:
    """Reading a segment that was sealed meanwhile gives nothing and fails nothing."""
    with Spool(tmp_path, "heartbeats") as spool:
        spool.append(beat(1))
        spool.flush()
        (path,) = open_segments(tmp_path)
    assert not path.exists()
    assert SegmentTail(path).read_new() == []
    assert open_segments(tmp_path) == []
