"""Write the evidence of one table in its sealed form: sorted, in few files, in the encodings that suit its columns."""

from __future__ import annotations

import os
from itertools import chain, islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from rtoanalytics.bundle.extras import extra_columns
from rtoanalytics.bundle.select import alike_files, from_files, readings
from rtoanalytics.bundle.sql import quoted
from rtoanalytics.errors import DefectError, EvidenceError
from rtoanalytics.schemas import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from rtoanalytics.bundle.files import EvidenceFile
    from rtoanalytics.schemas import Table

ROW_GROUP_ROWS = 262_144
ROW_GROUPS_PER_FILE = 80
_COMPRESSION_LEVEL = 3


def compact_table(
    connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[EvidenceFile], folder: Path
) -> list[Path]:
    """Write every row of `files` to part-00000.parquet, … in `folder`, in an order that only the rows decide.

    Rows are sorted by the table's order, then by all other columns, nulls first. Equal rows all stay.
    """
    extras, problems = extra_columns(table, files)
    if problems:
        raise EvidenceError(problems)
    schema = pa.schema([*table.arrow_schema, *(pa.field(name, found) for name, found in extras.items())])
    reader = connection.sql(_sorted_select(table, files, extras)).to_arrow_reader(ROW_GROUP_ROWS)
    paths, rows = _write_parts(table, schema, reader, folder)
    captured = sum(file.rows for file in files)
    if rows != captured:
        msg = f"sealing {table.name} wrote {rows} of {captured} rows; the bundle is unchanged"
        raise DefectError(msg)
    return paths


def _sorted_select(table: Table, files: Sequence[EvidenceFile], extras: Mapping[str, pa.DataType]) -> str:
    names = [*table.by_name, *extras]
    parts = [_select_alike(table, alike, extras) for alike in alike_files(files, names)]
    captured = "\nUNION ALL\n".join(parts)
    order = ", ".join(f"{key} NULLS FIRST" for key in _sort_keys(table, extras))
    return f"SELECT * FROM (\n{captured}\n) AS evidence ORDER BY {order}"  # noqa: S608  (every name in it is quoted)


def _select_alike(table: Table, files: Sequence[EvidenceFile], extras: Mapping[str, pa.DataType]) -> str:
    read = readings(table.columns, files[0])
    listed = [f"{read[column.name].value} AS {quoted(column.name)}" for column in table.columns]
    beyond = [f"{_as_it_is(name, files[0])} AS {quoted(name)}" for name in extras]
    return f"SELECT {', '.join([*listed, *beyond])} {from_files(files)}"


def _as_it_is(name: str, file: EvidenceFile) -> str:
    return f"captured.{quoted(name)}" if name in file.columns else "NULL"


def _sort_keys(table: Table, extras: Mapping[str, pa.DataType]) -> list[str]:
    """A total order of rows: no two rows that differ are equal under it, so the sealed bytes do not depend on luck."""
    listed = [*table.order, *(name for name in table.by_name if name not in table.order)]
    beyond = [name for name, found in extras.items() if not pa.types.is_null(found)]
    doubles = [name for name, column in table.by_name.items() if column.kind is Kind.DOUBLE]
    doubles += [name for name, found in extras.items() if pa.types.is_floating(found)]
    # 0.0 and -0.0 compare equal.
    signs = [f"signbit(evidence.{quoted(name)})" for name in doubles]
    return [*(f"evidence.{quoted(name)}" for name in [*listed, *beyond]), *signs]


def _write_parts(table: Table, schema: pa.Schema, reader: pa.RecordBatchReader, folder: Path) -> tuple[list[Path], int]:
    """Write row groups to as many files as it takes, at least one: a table without rows is not a missing table."""
    folder.mkdir(parents=True)
    groups = _row_groups(schema, reader)
    group = next(groups, None)
    paths: list[Path] = []
    rows = 0
    while group or not paths:
        paths.append(folder / f"part-{len(paths):05d}.parquet")
        in_this_file = [] if group is None else chain([group], islice(groups, ROW_GROUPS_PER_FILE - 1))
        rows += _write_part(table, schema, in_this_file, paths[-1])
        group = next(groups, None)
    return paths, rows


def _write_part(table: Table, schema: pa.Schema, groups: Iterable[pa.Table], path: Path) -> int:
    dictionary, encodings = _encodings(table, schema)
    rows = 0
    with path.open("wb") as file:
        with pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            use_dictionary=dictionary,  # type: ignore[arg-type]  # the stubs know only bool
            column_encoding=encodings,
            write_page_checksum=True,
        ) as writer:
            for group in groups:
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                rows += group.num_rows
        file.flush()
        os.fsync(file.fileno())
    return rows


def _row_groups(schema: pa.Schema, reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Tables of exactly ROW_GROUP_ROWS rows, the last one shorter, each column in one piece.

    How DuckDB cuts its answer depends on its threads; the bytes of a sealed file must not.
    """
    pending = schema.empty_table()
    for batch in reader:
        pending = pa.concat_tables([pending, pa.Table.from_batches([batch]).cast(schema)])
        while pending.num_rows >= ROW_GROUP_ROWS:
            yield pending.slice(0, ROW_GROUP_ROWS).combine_chunks()
            pending = pending.slice(ROW_GROUP_ROWS)
    if pending.num_rows:
        yield pending.combine_chunks()


def _encodings(table: Table, schema: pa.Schema) -> tuple[list[str], dict[str, str]]:
    """Which columns get a dictionary, and the encoding of those that do better without."""
    plain_texts = {column.name for column in table.columns if column.kind is Kind.STRING}
    dictionary = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in plain_texts]
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    dictionary += [f"{name}.key_value.{part}" for name in maps for part in ("key", "value")]
    numbers = [field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type)]
    return dictionary, dict.fromkeys(numbers, "DELTA_BINARY_PACKED")
