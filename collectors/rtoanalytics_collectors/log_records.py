"""Log records: every partition read back after the drill, to find what was acknowledged and is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.identity import from_key
from rtoanalytics_collectors.kafka import READ_ISOLATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.identity import RecordId
    from rtoanalytics_collectors.kafka import Cluster, LogRecord, TopicPartition
    from rtoanalytics_collectors.spool import Row, Spool


class LogReader:
    """Reads partitions back into `log_records` and `log_scans`."""

    def __init__(
        self,
        cluster: Cluster,
        log_records: Spool,
        log_scans: Spool,
        record_id: RecordId = from_key,
        clock: Clock = now_us,
    ) -> None:
        self._cluster = cluster
        self._log_records = log_records
        self._log_scans = log_scans
        self._record_id = record_id
        self._clock = clock

    def scan(self, from_offsets: Mapping[TopicPartition, int]) -> int:
        """Read each partition from its offset (or the log start, if that is higher) to the log end; records read.

        Rows of a partition are kept only when its scan was complete, with the scan's instant; a partition's records
        wait in memory until then. Raises TransientError when a partition has no answer for its log ends, or stops
        answering: partitions read before it are kept. A record without a timestamp (an old message format) stands at
        the epoch with a null `timestamp_type`.
        """
        return sum(self._scan_partition(key, offset) for key, offset in sorted(from_offsets.items()))

    def _scan_partition(self, key: TopicPartition, captured_start: int) -> int:
        rows: list[Row] = []
        from_offset = next_offset = max(captured_start, self._log_ends(key)[0])
        while next_offset < (to_offset := self._log_ends(key)[1]):  # until the log has stopped growing
            rows += [self._row(record) for record in self._cluster.read(key, next_offset, to_offset)]
            next_offset = to_offset
        scan = {"topic": key[0], "partition": key[1], "cluster": self._cluster.name, "scanned_at": self._clock()}
        self._log_records.append(*(row | scan for row in rows))
        ends = {"from_offset": from_offset, "to_offset": max(from_offset, to_offset), "isolation": READ_ISOLATION}
        self._log_scans.append(scan | ends)
        return len(rows)

    def _log_ends(self, key: TopicPartition) -> tuple[int, int]:
        ends = self._cluster.log_ends([key])[key]
        return ends.log_start_offset, ends.log_end_offset

    def _row(self, record: LogRecord) -> Row:
        return {
            "record_offset": record.offset,
            "record_id": self._record_id(record.key, record.headers),
            "appended_at": (record.timestamp_ms or 0) * 1000,
            "timestamp_type": record.timestamp_type,
            "leader_epoch": record.leader_epoch,
        }
