"""`python -m benchmarks.scan BUNDLE`: the seconds DuckDB takes to read what an analysis reads, and nothing more.

No analysis can be faster. Read are the columns that the query chain reads, as far as they hold anything in the bundle.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

READ = {
    "acks": ("cluster", "topic", "partition", "record_offset", "record_id", "acked_at", "outcome", "acks"),
    "applied": ("downstream", "cluster", "topic", "partition", "record_offset", "record_id", "applied_at"),
    "log_records": ("cluster", "topic", "partition", "record_offset", "record_id", "appended_at", "scanned_at"),
}
"""Columns that the chain reads of the tables with a row for every record; the other tables are small beside these."""
HELD_BY_NONE = {"acks": ("producer", "sent_at", "error"), "applied": ("ordinal", "application_id"), "log_records": ()}
"""Columns that the chain reads as well, and that are null throughout every bundle of the benchmark."""


def scan(bundle: Path) -> dict[str, float]:
    """Seconds and rows of one scan of every table of READ that the bundle has."""
    selects = [_select(bundle / "evidence" / table, columns) for table, columns in READ.items()]
    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        rows = sum(connection.sql(select).fetchall()[0][0] for select in selects if select)
    return {"seconds": time.perf_counter() - started, "rows": rows}


def _select(folder: Path, columns: tuple[str, ...]) -> str | None:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return None
    held = _held_columns(files[0])
    sums = ", ".join(_sum(column, held[column]) for column in columns if column in held)
    return f"select count(*), {sums} from read_parquet('{folder.as_posix()}/*.parquet')"


def _held_columns(path: Path) -> dict[str, str]:
    """Types of the columns that are not null throughout the first row group."""
    group = pq.read_metadata(path).row_group(0)
    chunks = (group.column(number) for number in range(group.num_columns))
    names = {chunk.path_in_schema for chunk in chunks if not _is_empty(path, chunk.path_in_schema)}
    return {field.name: str(field.type) for field in pq.read_schema(path) if field.name in names}


def _is_empty(path: Path, column: str) -> bool:
    values = pq.ParquetFile(path).read_row_group(0, columns=[column]).column(0)
    return values.null_count == len(values)


def _sum(column: str, kind: str) -> str:
    """Sums: a minimum or a count could be answered from the footer alone."""
    if kind == "string":
        return f"sum(strlen({column}))"
    return f"sum(epoch_us({column}))" if kind.startswith("timestamp") else f"sum({column})"


if __name__ == "__main__":
    print(json.dumps(scan(Path(sys.argv[1]))))
