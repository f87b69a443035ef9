"""What an earlier process captured into the same bundle, for the collector that continues behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtoanalytics_collectors.spool import Row

_BATCH_ROWS = 50_000


def captured_rows(bundle: Path, table: str, spool: str) -> Iterator[Row]:
    """Rows that the spool `spool` has sealed, oldest file first; instants as microseconds since the epoch."""
    for path in sealed_files(bundle, table, spool):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH_ROWS):
                yield from _with_numbers(batch).to_pylist()


def sealed_files(bundle: Path, table: str, spool: str) -> list[Path]:
    """Files that a spool has sealed, in the order in which it did."""
    name = re.compile(rf"{re.escape(spool)}-(\d+)\.parquet")
    found = ((name.fullmatch(path.name), path) for path in (bundle / "evidence" / table).glob("*.parquet"))
    return [path for _, path in sorted((int(match[1]), path) for match, path in found if match)]


def last_heartbeats(bundle: Path) -> dict[tuple[str, str | None], int]:
    """The last heartbeat by collector and target, microseconds since the epoch."""
    latest: dict[tuple[str, str | None], int] = {}
    for path in (bundle / "evidence" / "heartbeats").glob("*.parquet"):
        beats = _with_numbers(pq.read_table(path, columns=["collector", "target", "occurred_at"]))
        for beat in beats.group_by(["collector", "target"]).aggregate([("occurred_at", "max")]).to_pylist():
            key = (beat["collector"], beat["target"])
            latest[key] = max(latest.get(key, 0), beat["occurred_at_max"])
    return latest


def _with_numbers(rows: pa.RecordBatch | pa.Table) -> pa.Table:
    table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, pc.cast(table.column(index), pa.int64()))
    return table
