"""Write the evidence of one table in its sealed form: sorted, in few files, in the encodings that suit its columns."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from rtoanalytics.bundle.extras import extra_columns
from rtoanalytics.bundle.sealed_order import sealed_rows
from rtoanalytics.errors import DefectError, EvidenceError
from rtoanalytics.schemas import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from rtoanalytics.bundle.files import EvidenceFile
    from rtoanalytics.schemas import Table

SORTING, WRITING = "sorting", "writing"
"""What becomes of a table, once its rows were looked at."""
ROW_GROUP_ROWS = 262_144
ROW_GROUPS_PER_FILE = 80
_NUMBERS_LEVEL = 3
"""Level of zstd for numbers: 2 % smaller than level 1 there, at about the same speed."""
_LEVEL = 1
"""For everything else: of identities that look random, higher levels make more bytes of more work."""


def compact_table(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    files: Sequence[EvidenceFile],
    folder: Path,
    watch: Callable[[str, int], None] = lambda *_: None,
) -> list[Path]:
    """Write every row of `files` to part-00000.parquet, … in `folder`, in an order that only the rows decide.

    Rows are sorted by the table's order, then by all other columns, nulls first. Equal rows all stay. `watch` is told
    when SORTING begins, and WRITING: then and after each row group, with the rows that are written.
    """
    extras, problems = extra_columns(table, files)
    if problems:
        raise EvidenceError(problems)
    schema = pa.schema([*table.arrow_schema, *(pa.field(name, found) for name, found in extras.items())])
    sealed = sealed_rows(connection, table, files, schema, ROW_GROUP_ROWS, partial(watch, SORTING, 0))
    watch(WRITING, 0)
    paths, rows = write_parts(table, schema, sealed.batches, folder, sealed.constants, partial(watch, WRITING))
    captured = sum(file.rows for file in files)
    if rows != captured:
        msg = f"sealing {table.name} wrote {rows} of {captured} rows; the bundle is unchanged"
        raise DefectError(msg)
    return paths


def write_parts(
    table: Table,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    folder: Path,
    constants: Mapping[str, pa.Scalar[Any]] = MappingProxyType({}),
    watch: Callable[[int], None] = lambda _: None,
) -> tuple[list[Path], int]:
    """Write rows that come in sealed order to files of a sealed bundle; the files, and how many rows they hold.

    `constants` are the columns that batches lack, with the one value that each has. Rows go into as many files as it
    takes, at least one: a table without rows is not a missing table. `watch` is told how many are written by then.
    """
    folder.mkdir(parents=True)
    groups = _counted(_ahead(_row_groups(schema, batches, constants)), watch)
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
    rows = 0
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, **_layout(table, schema)) as writer:
            for group in groups:
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                rows += group.num_rows
        file.flush()
        os.fsync(file.fileno())
    return rows


def _counted(groups: Iterator[pa.Table], watch: Callable[[int], None]) -> Iterator[pa.Table]:
    """The same; when the next is asked for, the ones before have been written, and `watch` is told of how many rows."""
    rows = 0
    for group in groups:
        yield group
        rows += group.num_rows
        watch(rows)


def _ahead(groups: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same, the next one prepared in a thread while this one is being written."""
    with ThreadPoolExecutor(1, "next row group") as preparing:
        coming = preparing.submit(next, groups, None)
        while group := coming.result():
            coming = preparing.submit(next, groups, None)
            yield group


def _row_groups(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], constants: Mapping[str, pa.Scalar[Any]]
) -> Iterator[pa.Table]:
    """Tables of exactly ROW_GROUP_ROWS rows, the last one shorter, each column in one piece.

    How DuckDB cuts its answer depends on its threads; the bytes of a sealed file must not.
    """
    varying = pa.schema([field for field in schema if field.name not in constants])
    pending = varying.empty_table()
    for batch in batches:
        pending = pa.concat_tables([pending, pa.Table.from_batches([batch]).cast(varying)])
        while pending.num_rows >= ROW_GROUP_ROWS:
            yield _completed(pending.slice(0, ROW_GROUP_ROWS), schema, constants)
            pending = pending.slice(ROW_GROUP_ROWS)
    if pending.num_rows:
        yield _completed(pending, schema, constants)


def _completed(group: pa.Table, schema: pa.Schema, constants: Mapping[str, pa.Scalar[Any]]) -> pa.Table:
    columns: dict[str, Any] = {
        name: pa.repeat(value, group.num_rows)  # type: ignore[call-overload]  # the stubs know no scalar of any type
        for name, value in constants.items()
    }
    columns |= {name: group[name].combine_chunks() for name in group.column_names}
    return pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)


def _layout(table: Table, schema: pa.Schema) -> dict[str, Any]:
    """How columns are written: names with a dictionary, numbers and other texts as differences to the row before."""
    texts = [column.name for column in table.columns if column.kind is Kind.STRING]
    dictionary = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in texts]
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    dictionary += [f"{name}.key_value.{part}" for name in maps for part in ("key", "value")]
    numbers = [field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type)]
    return {
        "compression": "zstd",
        "compression_level": dict.fromkeys(schema.names, _LEVEL) | dict.fromkeys(numbers, _NUMBERS_LEVEL),
        "use_dictionary": dictionary,
        "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED") | dict.fromkeys(texts, "DELTA_BYTE_ARRAY"),
        "write_page_checksum": True,
    }
