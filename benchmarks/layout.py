"""Rows from DuckDB into evidence files, in the layout that sealing gives, or in that of a collector's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rtoanalytics.bundle.compaction import ROW_GROUP_ROWS, write_parts
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.parquet import evidence_file
from rtoanalytics_collectors.spool.recovery import PORTION_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from rtoanalytics.schemas import Table

Frame = Any
"""An Arrow table."""


def write_sealed(connection: duckdb.DuckDBPyConnection, name: str, select: str, root: Path) -> None:
    """Write the rows of `select`, which come in sealed order, as sealing writes them."""
    table = TABLES[name]
    reader = connection.sql(_all_columns(connection, table, select)).to_arrow_reader(ROW_GROUP_ROWS)
    write_parts(table, table.arrow_schema, reader, root / "evidence" / name)


def captured_rows(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> Frame:
    """The rows of `select` with every column of the table, in memory."""
    table = TABLES[name]
    return connection.sql(_all_columns(connection, table, select)).to_arrow_table().cast(table.arrow_schema)


def captured_pieces(connection: duckdb.DuckDBPyConnection, name: str, select: str, rows: int) -> Iterator[Frame]:
    """The same in pieces of exactly `rows` rows, the last one shorter: no more than two of them in memory."""
    table = TABLES[name]
    waiting = table.arrow_schema.empty_table()
    for batch in connection.sql(_all_columns(connection, table, select)).to_arrow_reader(ROW_GROUP_ROWS):
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(table.arrow_schema)])
        if waiting.num_rows >= rows:
            yield waiting.slice(0, rows)
            waiting = waiting.slice(rows)
    if waiting.num_rows:
        yield waiting


def write_captured(rows: Frame, name: str, number: int, root: Path) -> None:
    """Write rows as a collector does that turns the segment of that number into evidence."""
    path = root / "evidence" / name / f"{name}-{number:05d}.parquet"
    with evidence_file(TABLES[name], path) as writer:
        for start in range(0, rows.num_rows, PORTION_ROWS):
            writer.write_table(rows.slice(start, PORTION_ROWS))


def _all_columns(connection: duckdb.DuckDBPyConnection, table: Table, select: str) -> str:
    told = {column[0] for column in connection.sql(f"select * from ({select}) limit 0").description}
    listed = (column.name if column.name in told else f"null as {column.name}" for column in table.columns)
    return f"select {', '.join(listed)} from ({select})"
