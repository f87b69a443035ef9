"""One open segment of a spool: an append-only Arrow IPC stream whose batches are durable one by one."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics_collectors.parquet import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.schemas import Table

TABLE_KEY = b"rtoanalytics.table"
"""Metadata of the stream that names its evidence table."""
_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Segment:
    """One open Arrow IPC stream. Each write is one whole batch, durable when it returns."""

    def __init__(self, path: Path, table: Table) -> None:
        self._path = path
        self._opened = time.monotonic()
        self._bytes = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._sink = _Chunk()
        schema = table.arrow_schema.with_metadata({TABLE_KEY: table.name.encode()})
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._stream = pa.ipc.new_stream(self._sink, schema, options=options)  # type: ignore[arg-type]  # any file
        sync_folder(path.parent)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append one batch and sync it. Raises OSError; the segment must then be abandoned."""
        self._stream.write_batch(batch)
        chunk = self._sink.take()
        _write_all(self._descriptor, chunk)
        _fdatasync(self._descriptor)
        self._bytes += len(chunk)

    def is_due(self, rotate_seconds: float, rotate_bytes: int) -> bool:
        """Whether this segment is old or large enough to be sealed."""
        return self._bytes >= rotate_bytes or time.monotonic() - self._opened >= rotate_seconds

    def close(self) -> None:
        """Close the file; the stream needs no end marker to be read."""
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Cut the file back to its last durable batch, as far as the disk allows, and close it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._bytes)
        with contextlib.suppress(OSError):
            self.close()
        if self._bytes == 0:
            with contextlib.suppress(OSError):
                self._path.unlink()


class _Chunk:
    """A sink that hands over what the stream writer has produced since the last `take`."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def write(self, data: bytes) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Nothing waits here."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
