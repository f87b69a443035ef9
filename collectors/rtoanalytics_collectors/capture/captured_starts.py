"""Where the capture of each partition began: below that, no record of the drill is to be looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

_LOWEST_ACKED = """
    select cluster, topic, "partition", min(record_offset), min(epoch_us(acked_at))
    from read_parquet($files, union_by_name = true) where outcome = 'acked' group by all
"""
_FIRST_WATERMARKS = """
    select cluster, topic, "partition", arg_min(log_end_offset, observed_at), min(epoch_us(observed_at))
    from read_parquet($files, union_by_name = true) group by all
"""


class CapturedStarts:
    """The first offset to read of each partition, from acks and watermarks that are in the evidence.

    1. The log end at the first watermark of a partition, if that was taken before any record was acknowledged anywhere:
       everything of the drill stands above it, what was mirrored to another cluster included.
    2. Never above the lowest acknowledged offset of the partition.
    3. Without such a watermark, the start of the log (0).
    """

    def __init__(self, bundle: Path) -> None:
        acked = _by_partition(bundle, "acks", _LOWEST_ACKED)
        watermarks = _by_partition(bundle, "watermarks", _FIRST_WATERMARKS)
        self._acked = {key: offset for key, (offset, _) in acked.items()}
        first_acked_at = min((instant for _, instant in acked.values()), default=None)
        self._ends = {
            key: offset
            for key, (offset, observed_at) in watermarks.items()
            if first_acked_at is None or observed_at <= first_acked_at
        }

    def of(self, cluster: str, topic: str, partition: int) -> int:
        """The first offset (inclusive) to read."""
        key = (cluster, topic, partition)
        end = self._ends.get(key, 0)
        return min(end, self._acked.get(key, end))


def _by_partition(bundle: Path, table: str, query: str) -> dict[tuple[str, str, int], tuple[int, int]]:
    files = sorted(str(path) for path in (bundle / "evidence" / table).glob("*.parquet"))
    if not files:
        return {}
    with duckdb.connect() as connection:
        rows: list[tuple[Any, ...]] = connection.execute(query, {"files": files}).fetchall()
    return {(cluster, topic, partition): (offset, instant) for cluster, topic, partition, offset, instant in rows}
