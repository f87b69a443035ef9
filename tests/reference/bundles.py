"""Write a drill to disk as a bundle: drill.yaml and Parquet evidence with the exact types of the evidence schemas."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from .drill_facts import Drill
from .evidence import COLUMNS, OPTIONAL_COLUMNS, Row, Tables

ARROW_TYPES: dict[str, Any] = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "instant": pa.timestamp("us", tz="UTC"),
    "map": pa.map_(pa.string(), pa.string()),
}


def write_bundle(
    folder: Path, drill: Drill, tables: Tables, *, shuffle_seed: int | None = None, files: int = 1
) -> None:
    """Write a bundle; neither the order of rows nor their spread over files may matter to whoever reads it.

    A table that `tables` does not name gets no folder; one without rows gets files without rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drill.yaml").write_text(yaml.safe_dump(drill, sort_keys=False), encoding="utf-8")
    for table, rows in tables.items():
        ordered = list(rows)
        if shuffle_seed is not None:
            random.Random(f"{shuffle_seed} {table}").shuffle(ordered)
        path = folder / "evidence" / table
        path.mkdir(parents=True, exist_ok=True)
        columns = columns_to_write(table, rows)
        for number in range(files):
            pq.write_table(arrow_table(table, columns, ordered[number::files]), path / f"part-{number:03}.parquet")


def columns_to_write(table: str, rows: list[Row]) -> list[str]:
    """Return the table's columns without the optional ones that no row has."""
    return [
        column
        for column in COLUMNS[table]
        if column not in OPTIONAL_COLUMNS[table] or any(row.get(column) is not None for row in rows)
    ]


def arrow_table(table: str, columns: list[str], rows: list[Row]) -> pa.Table:
    """Return rows as an Arrow table; instants are given in microseconds."""
    arrays = []
    for column in columns:
        kind = COLUMNS[table][column]
        values = [row.get(column) for row in rows]
        if kind == "map":
            values = [None if value is None else sorted(value.items()) for value in values]
        arrays.append(pa.array(values, type=ARROW_TYPES[kind]))
    return pa.Table.from_arrays(arrays, names=columns)
