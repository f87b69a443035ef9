"""One evidence file, written so that a reader sees it whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from rtoanalytics.schemas import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rtoanalytics.schemas import Table

_COUNTED = frozenset({Kind.INT32, Kind.INT64, Kind.INSTANT})


def write_evidence(rows: pa.Table, table: Table, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write `rows` of the evidence table `table` to `path`: temporary name, fsync, rename, fsync of the folder.

    `notes` become key-value metadata of the file (how it was captured). Raises OSError when the disk refuses; then
    no file of that name exists and the temporary one is removed as far as the disk allows.
    """
    with evidence_file(table, path) as writer:
        writer.write_table(rows.replace_schema_metadata())
        writer.add_key_value_metadata(dict(notes or {}))


@contextmanager
def evidence_file(table: Table, path: Path, schema: pa.Schema | None = None) -> Iterator[pq.ParquetWriter]:
    """The same for rows that come in portions, each written as row groups; the file is there when the block ends.

    `schema` is that of the portions, where names come as dictionaries: whoever reads the file sees the table's own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _parquet_writer(table, temporary, schema or table.arrow_schema) as writer:
            yield writer
        _sync_file(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_unfinished(path: Path) -> None:
    """Remove what a killed process had written of the evidence file `path` under temporary names."""
    for temporary in path.parent.glob(f".{path.name}.*.tmp"):
        temporary.unlink(missing_ok=True)


def _parquet_writer(table: Table, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    names = [column.name for column in table.columns if column.kind is Kind.NAME]
    counted = [column.name for column in table.columns if column.kind in _COUNTED]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=names,  # type: ignore[arg-type]  # the stubs know only a bool
        column_encoding=dict.fromkeys(counted, "DELTA_BINARY_PACKED"),
        write_statistics=counted,  # of names and identities they cost more than the rest of a column, and tell little
        store_schema=not any(pa.types.is_dictionary(kind) for kind in schema.types),
        write_page_checksum=True,
    )


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make creations, renames and deletions in `folder` survive a power cut."""
    _sync_file(folder)
