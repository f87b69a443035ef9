"""Scans of logs: each partition read from where the capture began to its end, into `log_records` and `log_scans`.

Run it when no more records are acknowledged: a record that was acknowledged behind the end of the scan counts as
missing. With read_committed, records of aborted transactions are absent by design, as they are for consumers.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtoanalytics.errors import ClusterError, RtoError
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.identity import from_key
from rtoanalytics_collectors.kafka import READ_ISOLATION
from rtoanalytics_collectors.log_records.columns import rows_of, without_fences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.identity import RecordId
    from rtoanalytics_collectors.kafka import Cluster, TopicPartition
    from rtoanalytics_collectors.spool import Row, Spool

MAX_ROUNDS = 10
"""Times that the end of a log is asked again because it has grown; a log that still grows then is left there."""
MAX_WAITING_ROWS = 200_000
"""Rows that may wait for the disk while more are read."""
ROTATE_BYTES = 8 * 1024 * 1024
"""Bytes of a segment of the spool: one is sealed while more is read, and not all of them at the end."""


class SpoolError(RtoError):
    """What was read cannot be kept: the disk is full or fails."""


@dataclass(frozen=True)
class ScanProgress:
    """How far the scan of one partition has come."""

    topic: str
    partition: int
    next_offset: int
    """First offset (inclusive) that was not read yet."""
    to_offset: int
    """Log end (exclusive) that the scan is on its way to."""
    records: int
    """Records read so far, all partitions of this scan together."""
    records_per_second: float
    """Over the whole scan so far."""


class Pace:
    """Counts the records of one scan, and waits so that they are not more than allowed in a second."""

    def __init__(
        self,
        records_per_second: float | None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.records = 0
        self._limit = records_per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._began = monotonic()

    @property
    def rate(self) -> float:
        """Records a second so far."""
        return self.records / max(self._monotonic() - self._began, 1e-6)

    def count(self, records: int) -> None:
        """Count records; wait when they came too early."""
        self.records += records
        if self._limit:
            early = self.records / self._limit - (self._monotonic() - self._began)
            if early > 0:
                self._sleep(early)


class LogReader:
    """Reads partitions back into `log_records` and `log_scans`. Memory does not grow with the log."""

    def __init__(
        self,
        cluster: Cluster,
        log_records: Spool,
        log_scans: Spool,
        record_id: RecordId = from_key,
        clock: Clock = now_us,
        *,
        progress: Callable[[ScanProgress], object] | None = None,
        records_per_second: float | None = None,
        isolation: str = READ_ISOLATION,
    ) -> None:
        """`records_per_second` limits the rate; `progress` is called after each batch of some thousand records."""
        self._cluster = cluster
        self._log_records = log_records
        self._log_scans = log_scans
        self._record_id = record_id
        self._clock = clock
        self._progress = progress
        self._records_per_second = records_per_second
        self._isolation = isolation

    def scan(self, from_offsets: Mapping[TopicPartition, int], *, has_fences: bool = False) -> int:
        """Read each partition from its offset (or the log start, if that is higher) to its end; records read.

        The end is the log end, asked again until the log has stopped growing, or has grown at ten looks. With
        `has_fences` a fence record is written to each partition first, and the end is its offset: everything before it
        was read if it is found there. Fence records are no rows.

        Rows go to the spool as they are read; the row of `log_scans` is written last, so rows of a scan that was cut
        short name a `scanned_at` (the instant at which its partition began) that no scan has, and do not count. Raises
        TransientError when a partition does not answer, ClusterError when a fence is not there, SpoolError when
        rows cannot be kept: partitions read before it are kept, and the next scan starts anew.
        """
        pace = Pace(self._records_per_second)
        keys = sorted(from_offsets)
        fences = self._cluster.append_fences(keys, f"scan-{uuid.uuid4()}") if has_fences else {}
        for key in keys:
            self._scan_partition(key, from_offsets[key], fences.get(key), pace)
        return pace.records

    def _scan_partition(self, key: TopicPartition, captured_start: int, fence: int | None, pace: Pace) -> None:
        log_start, log_end = self._log_ends(key)
        from_offset = next_offset = max(captured_start, log_start)
        scan = {"topic": key[0], "partition": key[1], "cluster": self._cluster.name, "scanned_at": self._clock()}
        if fence is None:
            for _ in range(MAX_ROUNDS):
                if next_offset >= log_end:
                    break
                self._read(scan, key, next_offset, log_end, pace)
                next_offset, log_end = log_end, self._log_ends(key)[1]
        else:
            self._read_to_fence(scan, key, next_offset, fence, pace)
            next_offset = fence
        self._keep(self._log_records)
        self._log_scans.append(
            scan
            | {"from_offset": from_offset, "to_offset": max(from_offset, next_offset), "isolation": self._isolation}
        )
        self._keep(self._log_scans)

    def _read_to_fence(self, scan: Row, key: TopicPartition, next_offset: int, fence: int, pace: Pace) -> None:
        if not self._read(scan, key, next_offset, fence + 1, pace):
            topic, partition = key
            msg = (
                f'cluster "{self._cluster.name}": {topic}-{partition} does not have its fence at offset {fence}; '
                "the log was truncated or rewritten while it was read: scan it again"
            )
            raise ClusterError(msg)

    def _read(self, scan: Row, key: TopicPartition, from_offset: int, to_offset: int, pace: Pace) -> bool:
        """Read some records into the spool; whether the last of them was a fence."""
        is_fenced = False
        for batch in self._cluster.read_batches(key, from_offset, to_offset, self._isolation):
            records, is_fenced = without_fences(batch)
            if len(records):
                self._log_records.append_batch(rows_of(records, scan, self._record_id))
            self._keep(self._log_records, MAX_WAITING_ROWS)
            pace.count(len(records))
            if self._progress:
                done = batch.offsets[-1] + 1
                self._progress(ScanProgress(key[0], key[1], done, to_offset, pace.records, pace.rate))
        return is_fenced

    @staticmethod
    def _keep(spool: Spool, max_waiting_rows: int = 0) -> None:
        """Make rows durable before more are read than may wait: the disk sets the pace, not memory."""
        if spool.waiting_rows >= max_waiting_rows:
            spool.flush()
        if not spool.is_healthy:
            msg = (
                f"the spool of {spool.table} does not keep what is read ({spool.last_error or 'rows were dropped'}); "
                "the scan was ended and does not count: make room on the disk and scan again"
            )
            raise SpoolError(msg)

    def _log_ends(self, key: TopicPartition) -> tuple[int, int]:
        ends = self._cluster.log_ends([key]).get(key)
        if ends is None:
            msg = 'cluster "{}": {}-{} did not answer when asked for its log ends'.format(self._cluster.name, *key)
            raise TransientError(msg)
        return ends.log_start_offset, ends.log_end_offset
