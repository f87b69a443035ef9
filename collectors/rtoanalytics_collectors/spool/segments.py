"""One segment of a spool: an append-only Arrow IPC stream whose batches are durable one by one."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics.errors import EvidenceError, Problem
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.parquet import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtoanalytics.schemas import Table

TABLE_KEY = b"rtoanalytics.table"
"""Metadata of the stream that names its evidence table."""
_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Segment:
    """One open Arrow IPC stream. Each write is one or more whole batches, durable when it returns."""

    def __init__(self, path: Path, table: Table, schema: pa.Schema | None = None) -> None:
        """`schema` is that of the batches: the table's (the default), or the same with names as runs."""
        self._path = path
        self.schema = schema or table.arrow_schema
        self._opened = time.monotonic()
        self._bytes = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._sink = _Chunk()
        head = self.schema.with_metadata({TABLE_KEY: table.name.encode()})
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._stream = pa.ipc.new_stream(self._sink, head, options=options)  # type: ignore[arg-type]  # any file
        sync_folder(path.parent)

    def write(self, *batches: pa.RecordBatch) -> None:
        """Append batches and sync them. Raises OSError; the segment must then be abandoned."""
        for batch in batches:
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


class LeftSegment:
    """A segment that nobody writes any more, read batch by batch: a large one is never in memory as a whole."""

    def __init__(self, path: Path) -> None:
        """Open a segment. Raises EvidenceError when this version does not know its table, OSError of the disk.

        `table` is None for a stream that was cut inside its schema. `rows`, `batches` and `torn_bytes` count what
        `read` has come by; until it has, every byte behind the schema counts as torn.
        """
        self.rows = self.batches = 0
        self.table: Table | None = None
        self._size = path.stat().st_size
        self._whole_bytes = 0
        self._source = pa.OSFile(str(path), "rb")
        stream = self._open()
        if stream is not None:
            self.table = _table_of(stream.schema, path)
            self._whole_bytes = self._source.tell()
        self._stream = stream

    @property
    def torn_bytes(self) -> int:
        """Bytes after the last whole batch."""
        return self._size - self._whole_bytes

    def read(self) -> Iterator[pa.RecordBatch]:
        """Every whole batch in order, once. What follows the last whole one is torn."""
        while self._stream is not None and (batch := self._next()) is not None:
            self.rows += batch.num_rows
            self.batches += 1
            yield batch

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _open(self) -> pa.RecordBatchStreamReader | None:
        try:
            return pa.ipc.open_stream(self._source)
        except (pa.ArrowException, OSError) as error:
            _raise_failing_disk(error)
            return None

    def _next(self) -> pa.RecordBatch | None:
        assert self._stream is not None  # noqa: S101  (`read` has looked)
        try:
            batch: pa.RecordBatch = self._stream.read_next_batch()
        except StopIteration:
            self._whole_bytes = self._source.tell()  # zeros look like an end: what follows them is torn all the same
            return None
        except (pa.ArrowException, OSError) as error:
            _raise_failing_disk(error)
            return None
        self._whole_bytes = self._source.tell()
        return batch


def _raise_failing_disk(error: Exception) -> None:
    """Raise on what the system says of the disk: only what Arrow says of the stream tells that it was torn."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def _table_of(schema: pa.Schema, path: Path) -> Table:
    name = (schema.metadata or {}).get(TABLE_KEY, b"").decode()
    if name not in TABLES:
        found = f'a segment of the table "{name}"'
        allowed = "written by another version of rtoanalytics; recover it with that version"
        raise EvidenceError([Problem(str(path), found, allowed)])
    return TABLES[name]


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
