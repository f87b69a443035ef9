"""One evidence file, written so that a reader sees it whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from rtoanalytics.schemas import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from rtoanalytics.schemas import Table

_COUNTED = frozenset({Kind.INT32, Kind.INT64, Kind.INSTANT})


def write_evidence(rows: pa.Table, table: Table, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write `rows` of the evidence table `table` to `path`: temporary name, fsync, rename, fsync of the folder.

    `notes` become key-value metadata of the file (how it was captured). Raises OSError when the disk refuses; then
    no file of that name exists and the temporary one is removed as far as the disk allows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _write_parquet(rows.replace_schema_metadata(dict(notes or {})), table, temporary)
        _sync_file(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _write_parquet(rows: pa.Table, table: Table, path: Path) -> None:
    names = [column.name for column in table.columns if column.kind is Kind.NAME]
    pq.write_table(
        rows,
        path,
        compression="zstd",
        use_dictionary=names,  # type: ignore[arg-type]  # the stubs know only a bool
        column_encoding={column.name: "DELTA_BINARY_PACKED" for column in table.columns if column.kind in _COUNTED},
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
