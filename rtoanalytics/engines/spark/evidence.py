"""Evidence as Spark reads it: contract names and types from Parquet files of any allowed shape.

The meaning is that of `bundle.evidence_select`, which DuckDB runs: a column that a file lacks is null, columns beyond
the contract are left out, and each instant comes twice, as `…_at timestamp` and `…_us bigint`.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import types

from rtoanalytics.bundle import microseconds_name
from rtoanalytics.bundle.casts import is_text
from rtoanalytics.errors import EvidenceError, Problem
from rtoanalytics.schemas import TABLES, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from rtoanalytics.bundle import EvidenceFile

TYPES = {
    Kind.STRING: "string",
    Kind.NAME: "string",
    Kind.INT32: "int",
    Kind.INT64: "bigint",
    Kind.DOUBLE: "double",
    Kind.BOOL: "boolean",
    Kind.INSTANT: "timestamp",
    Kind.LABELS: "map<string,string>",
}
"""The contract's types in Spark's words."""

_NANOSECONDS = "bigint"
_PAIRS = "array<struct<key:string,value:string>>"
_INTEGERS = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "decimal(20,0)",
}
"""How Spark reads each integer type of Parquet."""
_HIDDEN = "_"
"""Spark silently passes over files whose names begin with it."""
_REFUSED = ":"
_OTHERWISE = "or analyze with --engine duckdb"


def evidence_frame(
    session: SparkSession, table_name: str, files: Sequence[EvidenceFile], location: Callable[[EvidenceFile], str]
) -> DataFrame:
    """Every row of at least one file, with every listed column of the table; nothing is deduplicated or ordered.

    `location` tells where Spark finds a file. Raises EvidenceError for a file that Spark would pass over or misread.
    """
    problems = [problem for file in files for problem in unread_by_spark(table_name, file)]
    if problems:
        raise EvidenceError(problems)
    columns = TABLES[table_name].columns
    shaped = sorted(((tuple(_stored(column, file) for column in columns), file) for file in files), key=_by_shape)
    frames = [
        _alike(session, columns, shape, [location(file) for _, file in alike])
        for shape, alike in groupby(shaped, key=lambda each: each[0])
    ]
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionAll(frame)
    return whole


def unread_by_spark(table_name: str, file: EvidenceFile) -> list[Problem]:
    """What Spark cannot read as DuckDB does, although it is allowed."""
    problems = []
    if file.path.name.startswith(_HIDDEN) or _REFUSED in file.path.name:
        allowed = f'Spark reads no file whose name begins with "{_HIDDEN}" or holds "{_REFUSED}"'
        problems.append(Problem(file.name, "a name that Spark does not read", f"{allowed}; rename it, {_OTHERWISE}"))
    for column in TABLES[table_name].columns:
        found = file.columns.get(column.name)
        if found is not None and _stored_type(found) is None:
            allowed = f"Spark cannot read it; write {column.arrow_type}, {_OTHERWISE}"
            problems.append(Problem(f"{file.name}, column {column.name}", f"type {found}", allowed))
    return problems


def empty_evidence(table_name: str) -> pa.Table:
    """A table that was not captured: no rows, and every column that `evidence_frame` gives."""
    fields = []
    for column in TABLES[table_name].columns:
        fields.append(pa.field(column.name, column.arrow_type))
        if column.kind is Kind.INSTANT:
            fields.append(pa.field(microseconds_name(column.name), pa.int64()))
    return pa.schema(fields).empty_table()


def _by_shape(shaped: tuple[tuple[str, ...], EvidenceFile]) -> tuple[tuple[str, ...], str]:
    shape, file = shaped
    return shape, file.name


def _stored(column: Column, file: EvidenceFile) -> str:
    """The type under which Spark reads a column from a file; empty where the file has none, or only nulls."""
    found = file.columns.get(column.name)
    return "" if found is None else _stored_type(found) or ""


def _stored_type(found: pa.DataType) -> str | None:  # noqa: PLR0911  (one line a type)
    """The type under which Spark reads what stands in a file as `found`; empty for nulls, None for what it cannot."""
    if types.is_dictionary(found):
        return _stored_type(found.value_type)
    if types.is_null(found):
        return ""
    if is_text(found):
        return "string"
    if types.is_boolean(found):
        return "boolean"
    if types.is_integer(found):
        return _INTEGERS[str(found)]
    if types.is_float32(found) or types.is_float64(found):
        return "float" if types.is_float32(found) else "double"
    if types.is_decimal(found) and found.scale >= 0:
        return f"decimal({found.precision},{found.scale})"
    if types.is_timestamp(found):
        return _NANOSECONDS if found.unit == "ns" else "timestamp"
    if types.is_map(found):
        return TYPES[Kind.LABELS]
    return _PAIRS if types.is_list(found) or types.is_large_list(found) else None


def _alike(session: SparkSession, columns: Sequence[Column], shape: tuple[str, ...], paths: list[str]) -> DataFrame:
    """The rows of files whose columns Spark reads under the same types."""
    pairs = list(zip(columns, shape, strict=True))
    schema = ", ".join(f"`{column.name}` {stored}" for column, stored in pairs if stored)
    # Paths are names, not patterns, and tell nothing about partitions.
    reader = session.read.schema(schema).option("__globPaths__", "false").option("recursiveFileLookup", "true")
    read = reader.parquet(*paths)
    _all_found(read, paths)
    return read.selectExpr(*(text for column, stored in pairs for text in _selected(column, stored)))


def _all_found(read: DataFrame, paths: list[str]) -> None:
    found = len(read.inputFiles())
    if found != len(paths):
        said = f"Spark sees {found} of {len(paths)} files like {paths[0]}"
        raise EvidenceError([Problem("evidence", said, "every executor must reach them under the same path")])


def _selected(column: Column, stored: str) -> list[str]:
    value = _value(column, stored)
    if column.kind is not Kind.INSTANT:
        return [f"{value} as `{column.name}`"]
    return [f"{value} as `{column.name}`", f"unix_micros({value}) as `{microseconds_name(column.name)}`"]


def _value(column: Column, stored: str) -> str:
    """A column in the contract's type, from one that stands in the files as `stored`."""
    name = f"`{column.name}`"
    wanted = TYPES[column.kind]
    if not stored:
        return f"cast(null as {wanted})"
    if stored == wanted:
        return name
    if column.kind is Kind.INSTANT:
        return f"timestamp_micros({name} div 1000)"
    if stored == _PAIRS:
        return f"map_from_entries({name})"
    return f"cast({name} as {wanted})"
