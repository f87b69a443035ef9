"""The log read back: complete or not counted, in bounded memory, at a bounded rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.identity import from_header
from rtoanalytics_collectors.kafka import LogBatch, LogRecord
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.log_records import MAX_ROUNDS, LogReader, Pace, SpoolError
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rtoanalytics_collectors.kafka import TopicPartition

    Captured = Callable[[Path, str], list[dict[str, Any]]]

PLACE = ("t", 0)


def record(offset: int) -> LogRecord:
    """A record whose id is in a header."""
    return LogRecord(offset, None, [("id", b"r%d" % offset)], 1_000 + offset, "CreateTime", 4)


class GrowingCluster(FakeCluster):
    """A log that gets one record more at every look at its end."""

    def log_ends(self, partitions: Any) -> Any:  # noqa: ANN401
        self.logs[PLACE].append(record(len(self.logs[PLACE])))
        return super().log_ends(partitions)


class BreakingCluster(FakeCluster):
    """A partition that stops answering in the middle of a scan."""

    def read_batches(self, *asked: Any) -> Iterator[LogBatch]:  # noqa: ANN401
        yield next(super().read_batches(*asked))
        msg = "stopped answering"
        raise TransientError(msg)


class RewritingCluster(FakeCluster):
    """A log that loses its last record, the fence, before it is read back."""

    def append_fences(self, partitions: Any, mark: str) -> dict[TopicPartition, int]:  # noqa: ANN401
        offsets = super().append_fences(partitions, mark)
        self.logs[PLACE][-1] = record(offsets[PLACE])
        return offsets


def scan(bundle: Path, cluster: FakeCluster, from_offsets: Mapping[TopicPartition, int], **options: Any) -> int:  # noqa: ANN401
    """Scan into a bundle, with instants that rise by one at every scan of a partition."""
    has_fences = options.pop("has_fences", False)
    instants = iter(range(options.pop("began", 1), 1000))
    with Spool(bundle, "log_records") as log_records, Spool(bundle, "log_scans") as log_scans:
        reader = LogReader(cluster, log_records, log_scans, from_header("id"), clock=lambda: next(instants), **options)
        return reader.scan(from_offsets, has_fences=has_fences)


def test_log_that_grows_is_read_until_it_stands_still(bundle: Path, captured: Captured) -> None:
    """What came while the log was read is read too; a log that never stops is left after some rounds."""
    cluster = GrowingCluster(logs={PLACE: []})
    assert scan(bundle, cluster, {PLACE: 0}) == MAX_ROUNDS
    [row] = captured(bundle, "log_scans")
    assert (row["from_offset"], row["to_offset"]) == (0, MAX_ROUNDS)
    assert [row["record_offset"] for row in captured(bundle, "log_records")] == list(range(MAX_ROUNDS))


def test_scan_that_was_cut_short_does_not_count(bundle: Path, captured: Captured) -> None:
    """Its rows name an instant that no scan has; the scan after it is whole, under an instant of its own."""
    logs = {PLACE: [record(offset) for offset in range(5)]}
    with pytest.raises(TransientError):
        scan(bundle, BreakingCluster(logs=logs), {PLACE: 0})
    assert captured(bundle, "log_scans") == []
    assert scan(bundle, FakeCluster(logs=logs), {PLACE: 0}, began=50) == 5
    [row] = captured(bundle, "log_scans")
    rows = [
        found["record_offset"] for found in captured(bundle, "log_records") if found["scanned_at"] == row["scanned_at"]
    ]
    assert rows == [0, 1, 2, 3, 4]


def test_fence_ends_a_scan_and_is_no_record(bundle: Path, captured: Captured) -> None:
    """Everything before the fence was read if the fence is found; fences of earlier scans are no records either."""
    cluster = FakeCluster(logs={PLACE: [record(0), record(1)]})
    assert scan(bundle, cluster, {PLACE: 0}, has_fences=True) == 2
    assert scan(bundle, cluster, {PLACE: 0}, has_fences=True, began=50) == 2
    scans = sorted((row["to_offset"], row["scanned_at"]) for row in captured(bundle, "log_scans"))
    assert [to_offset for to_offset, _ in scans] == [2, 3]
    latest = [row["record_id"] for row in captured(bundle, "log_records") if row["scanned_at"] == scans[-1][1]]
    assert latest == ["r0", "r1"]


def test_fence_that_is_not_there_is_no_scan(bundle: Path, captured: Captured) -> None:
    """A log that was truncated and rewritten while it was read."""
    with pytest.raises(ClusterError, match="does not have its fence at offset 1"):
        scan(bundle, RewritingCluster(logs={PLACE: [record(0)]}), {PLACE: 0}, has_fences=True)
    assert captured(bundle, "log_scans") == []


def test_isolation_is_on_record(bundle: Path, captured: Captured) -> None:
    """What a scan could see of transactions is part of the evidence."""
    cluster = FakeCluster(logs={PLACE: [record(0)]})
    scan(bundle, cluster, {PLACE: 0}, isolation="read_uncommitted")
    assert [row["isolation"] for row in captured(bundle, "log_scans")] == ["read_uncommitted"]
    assert cluster.isolations == ["read_uncommitted"]


def test_record_without_a_timestamp_has_none(bundle: Path, captured: Captured) -> None:
    """An old message format has no timestamp: null, and not 1970."""
    scan(bundle, FakeCluster(logs={PLACE: [LogRecord(0, None, (), None, None, None)]}), {PLACE: 0})
    [row] = captured(bundle, "log_records")
    assert (row["appended_at"], row["timestamp_type"], row["record_id"]) == (None, None, None)


def test_progress_is_told_batch_by_batch(bundle: Path) -> None:
    """Where the scan is, how far it has to go, and how much it has read."""
    told: list[tuple[str, int, int, int, int]] = []
    cluster = FakeCluster(logs={PLACE: [record(offset) for offset in range(3)]})
    scan(
        bundle,
        cluster,
        {PLACE: 0},
        progress=lambda p: told.append((p.topic, p.partition, p.next_offset, p.to_offset, p.records)),
    )
    assert told == [("t", 0, 2, 3, 2), ("t", 0, 3, 3, 3)]


def test_rate_limit_waits_for_what_came_too_early() -> None:
    """Two hundred records at a hundred a second take two seconds; what is late is not waited for."""
    instants, slept = iter([0.0, 0.5, 9.0]), list[float]()
    pace = Pace(100, monotonic=lambda: next(instants), sleep=slept.append)
    pace.count(200)
    pace.count(100)
    assert (slept, pace.records) == ([1.5], 300)


def test_disk_that_does_not_keep_what_is_read_ends_the_scan(bundle: Path, captured: Captured) -> None:
    """Rows that could not be written are no scan, and nothing is read any further."""
    with Spool(bundle, "log_records") as log_records, Spool(bundle, "log_scans") as log_scans:
        log_records._dropped = 1
        reader = LogReader(FakeCluster(logs={PLACE: [record(0)]}), log_records, log_scans)
        with pytest.raises(SpoolError, match="make room on the disk"):
            reader.scan({PLACE: 0})
    assert captured(bundle, "log_scans") == []


def test_partition_that_does_not_answer_is_no_scan(bundle: Path) -> None:
    """A partition without log ends could not be read."""
    cluster = FakeCluster(logs={PLACE: [record(0)]}, silent={PLACE})
    with pytest.raises(TransientError):
        scan(bundle, cluster, {PLACE: 0})
