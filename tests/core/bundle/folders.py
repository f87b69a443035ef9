"""Bundles to test with: a folder with a good definition and, for every table, rows that are in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from rtoanalytics.schemas import TABLES, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rtoanalytics.errors import Problem
    from rtoanalytics.schemas import Column

NOON_US = 1_800_000_000_000_000
UTC = pa.timestamp("us", tz="UTC")
Row = dict[str, Any]

DEFINITION = """\
schema_version: 1
id: a-drill
flow:
  name: payments
  topics: [{name: payments}]
objectives: {rto_seconds: 60}
"""


def good_row(table_name: str, number: int = 0, **changed: object) -> Row:
    """A row with every column, all in their domains; `number` tells rows apart."""
    return {column.name: _good_value(column, number) for column in TABLES[table_name].columns} | changed


def _good_value(column: Column, number: int) -> object:
    if column.name == "outcome":
        return "acked"
    if column.values:
        return column.values[0]
    if column.name in {"to_offset", "log_end_offset"}:
        return number + 10
    values: dict[Kind, object] = {
        Kind.STRING: f"text {number}",
        Kind.NAME: "a",
        Kind.INT32: number % 3,
        Kind.INT64: number,
        Kind.DOUBLE: number + 0.5,
        Kind.BOOL: True,
        Kind.INSTANT: NOON_US + number,
        Kind.LABELS: [("job", "broker"), ("id", str(number))],
    }
    return values[column.kind]


def table_of(table_name: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as the contract types them; only columns that occur in the rows."""
    schema = TABLES[table_name].arrow_schema
    fields = [field for field in schema if not rows or any(field.name in row for row in rows)]
    return pa.Table.from_pylist(list(rows), schema=pa.schema(fields))


class BundleFolder:
    """A bundle on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "drill.yaml").write_text(DEFINITION)

    def folder(self, table_name: str) -> Path:
        """The folder of a table; it is made when it is not there."""
        folder = self.root / "evidence" / table_name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write(self, table_name: str, *rows: Row, name: str = "a.parquet") -> Path:
        """One file of a table."""
        return self.write_table(table_name, table_of(table_name, rows), name)

    def write_table(self, table_name: str, table: pa.Table, name: str = "a.parquet") -> Path:
        """One file of a table, in whatever types."""
        path = self.folder(table_name) / name
        pq.write_table(table, path)
        return path

    def with_column(self, table_name: str, column_name: str, values: pa.Array[Any], name: str = "a.parquet") -> Path:
        """One file of good rows, with one column (of the contract or beyond) as given."""
        table = table_of(table_name, [good_row(table_name, number) for number in range(len(values))])
        index = table.schema.get_field_index(column_name)
        if index < 0:
            return self.write_table(table_name, table.append_column(column_name, values), name)
        return self.write_table(table_name, table.set_column(index, column_name, values), name)

    def attach(self, name: str, content: str = "reviewed") -> Path:
        """One attachment."""
        path = self.root / "attachments" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path


def told(problems: Sequence[Problem]) -> str:
    """The whole text of problems, as a person reads it."""
    return "\n".join(map(str, problems))
