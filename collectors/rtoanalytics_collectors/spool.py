"""An append-only spool per collector: what was captured survives the capture being killed.

Rows are buffered, written as whole Arrow record batches to `<bundle>/spool/<collector>/<n>.arrows` (IPC stream, lz4)
and made durable at least every `FLUSH_SECONDS`. A segment is rotated by age or size and sealed into
`<bundle>/evidence/<table>/<collector>-<n>.parquet`: written under a temporary name, synced, renamed, the folder
synced, and only then is the segment deleted. A Parquet file without its footer is lost as a whole, a stream only
loses the batch it was cut in: that is why capture never appends to Parquet.

One process writes a collector's spool at a time (the folder is locked while it is open). A disk that fails costs
evidence, never the application: errors are counted, rows wait in memory, and `append` does not raise for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from rtoanalytics.errors import DefectError, EvidenceError, Problem, UsageError
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.bundle import has_drill, refuse_sealed
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.parquet import sync_folder, write_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rtoanalytics.schemas import Table

Row = dict[str, Any]
"""Values by column name; instants as int microseconds since the epoch; a column left out is null."""

FLUSH_SECONDS = 0.25
"""The longest a row waits in memory before it is durable, while the disk keeps up."""
ROTATE_SECONDS = 60.0
ROTATE_BYTES = 64 * 1024 * 1024
MAX_WAITING_ROWS = 1_000_000
"""Rows that wait for a failing disk; beyond that the newest are dropped and counted."""
FLUSH_ROWS = 20_000
"""Rows that wake the writer before its time is up: bounds memory and the size of a batch."""

_SEGMENT = re.compile(r"(\d+)\.arrows")
_COLLECTOR = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TABLE_KEY = b"rtoanalytics.table"
_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


@dataclass(frozen=True)
class Recovery:
    """What became of one segment that an earlier process left behind."""

    segment: str
    """Path of the segment, relative to the bundle."""
    rows: int
    """Rows kept."""
    batches: int
    """Whole batches kept."""
    torn_bytes: int
    """Bytes after the last whole batch, dropped; 0 for a stream that ends between two batches."""
    was_sealed: bool
    """Whether its Parquet file was already there (cut between rename and delete); nothing was captured twice."""


class Spool:
    """The spool of one collector. Thread-safe. Use as a context manager: leaving it seals what was appended."""

    def __init__(
        self,
        bundle: Path,
        table: str,
        collector: str | None = None,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        rotate_seconds: float = ROTATE_SECONDS,
        rotate_bytes: int = ROTATE_BYTES,
    ) -> None:
        """Open the spool of `collector` (default: named for the table) and seal what an earlier process left.

        Raises UsageError when the bundle is sealed, or another process writes this collector's spool.
        """
        self.table = _table(table)
        self.collector = _collector(collector or table)
        self._flush_seconds = flush_seconds
        self._rotate_seconds = rotate_seconds
        self._rotate_bytes = rotate_bytes
        self._bundle = bundle
        refuse_sealed(bundle)
        self._folder = bundle / "spool" / self.collector
        self._lock = _FolderLock(self._folder)
        self.recovered = list(_recover_folder(bundle, self._folder))
        self._next = _next_number(bundle, self.table.name, self.collector)
        self._names = frozenset(self.table.by_name)
        self._waiting: list[Row] = []
        self._waiting_lock = threading.Lock()
        self._io_lock = threading.Lock()
        self._segment: _Segment | None = None
        self._wake = threading.Event()
        self._closed = False
        self._rows = self._durable = self._errors = self._dropped = 0
        self.last_error: str | None = None
        self._writer = threading.Thread(target=self._write_until_closed, name=f"spool {self.collector}", daemon=True)
        self._writer.start()

    @property
    def rows(self) -> int:
        """Rows appended since the spool was opened."""
        return self._rows

    @property
    def durable_rows(self) -> int:
        """Rows appended since the spool was opened that are on disk."""
        return self._durable

    @property
    def errors(self) -> int:
        """Writes that failed since the spool was opened."""
        return self._errors

    @property
    def dropped_rows(self) -> int:
        """Rows given up: more than `MAX_WAITING_ROWS` waited for the disk, or a value did not fit its column."""
        return self._dropped

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was dropped and the last write succeeded."""
        return self.last_error is None and self._dropped == 0

    def append(self, *rows: Row) -> None:
        """Add rows. Returns at once. Raises DefectError for a column the table does not have.

        Rows that come after `close` are dropped and counted: a late delivery callback must not hurt its application.
        """
        for row in rows:
            if not self._names >= row.keys():
                raise DefectError(_unknown_columns(self.table, row))
        with self._waiting_lock:
            room = 0 if self._closed else max(0, MAX_WAITING_ROWS - len(self._waiting))
            self._waiting.extend(rows[:room])
            self._rows += len(rows)
            self._dropped += max(0, len(rows) - room)
            is_full = len(self._waiting) >= FLUSH_ROWS
        if is_full:
            self._wake.set()

    def flush(self) -> None:
        """Make every appended row durable, and rotate when it is time. Failures are counted, not raised."""
        with self._io_lock:
            self._write_waiting()
            if self._segment and self._segment.is_due(self._rotate_seconds, self._rotate_bytes):
                self._end_segment()
                self._seal_leftovers()

    def close(self) -> None:
        """Write and seal everything, stop the writer, release the folder. Safe to call twice.

        What a failing disk refuses stays in the spool, for `recover` to seal later.
        """
        with self._waiting_lock:
            if self._closed:
                return
            self._closed = True
        self._wake.set()
        self._writer.join()
        with self._io_lock:
            self._write_waiting()
            self._end_segment()
            self._seal_leftovers()
            self._dropped += len(self._waiting)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write_until_closed(self) -> None:
        while not self._closed:
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            self.flush()

    def _write_waiting(self) -> None:
        with self._waiting_lock:
            rows, self._waiting = self._waiting, []
        if not rows:
            return
        try:
            batch = _batch(rows, self.table)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            self._count_error(error)
            self._dropped += len(rows)
            return
        self._write_batch(batch, rows)

    def _write_batch(self, batch: pa.RecordBatch, rows: list[Row]) -> None:
        try:
            if self._segment is None:
                self._segment = self._new_segment()
            self._segment.write(batch)
        except OSError as error:
            self._count_error(error)
            self._give_up_segment()
            with self._waiting_lock:
                self._waiting[:0] = rows
            return
        self._durable += len(rows)
        self.last_error = None

    def _new_segment(self) -> _Segment:
        segment = _Segment(self._folder / f"{self._next}.arrows", self.table)
        self._next += 1
        return segment

    def _give_up_segment(self) -> None:
        """Leave a segment whose last write failed: its end is unknown, the next rows go to a new one."""
        segment, self._segment = self._segment, None
        if segment:
            segment.abandon()

    def _end_segment(self) -> None:
        """End the open segment; it is a leftover then, like one that a failing disk made us give up."""
        segment, self._segment = self._segment, None
        if segment:
            segment.close()

    def _seal_leftovers(self) -> None:
        try:
            list(_recover_folder(self._bundle, self._folder))
        except (OSError, pa.ArrowException, EvidenceError) as error:
            self._count_error(error)

    def _count_error(self, error: Exception) -> None:
        self._errors += 1
        self.last_error = f"{type(error).__name__}: {error}"


def recover(bundle: Path) -> list[Recovery]:
    """Seal every segment that a killed capture left under `<bundle>/spool`; collectors still running are left alone.

    All whole batches of a torn stream are kept; the bytes after them are counted in the result. Raises UsageError
    for a sealed bundle that still has segments, OSError when the disk refuses.
    """
    done: list[Recovery] = []
    folders = sorted(path for path in (bundle / "spool").glob("*") if path.is_dir())
    if folders:
        refuse_sealed(bundle)
    for folder in folders:
        lock = _FolderLock.try_acquire(folder)
        if lock is not None:
            with contextlib.closing(lock):
                done += _recover_folder(bundle, folder)
    return done


class _Segment:
    """One open Arrow IPC stream. Each write is one whole batch, durable when it returns."""

    def __init__(self, path: Path, table: Table) -> None:
        self._path = path
        self._opened = time.monotonic()
        self._bytes = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._sink = _Chunk()
        schema = table.arrow_schema.with_metadata({_TABLE_KEY: table.name.encode()})
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


class _FolderLock:
    """An exclusive lock on a collector's folder; the kernel releases it when the process dies."""

    def __init__(self, folder: Path) -> None:
        """Create and lock `folder`. Raises UsageError when another process holds it."""
        descriptor = _locked_descriptor(folder)
        if descriptor is None:
            msg = f"{folder}: another process is writing this spool; stop it, or use another collector name"
            raise UsageError(msg)
        self._folder = folder
        self._descriptor = descriptor

    @classmethod
    def try_acquire(cls, folder: Path) -> _FolderLock | None:
        """The lock on `folder`, or None when another process holds it."""
        try:
            return cls(folder)
        except UsageError:
            return None

    def release(self) -> None:
        """Remove the folder when it is empty, its parent too, and let others in."""
        with contextlib.suppress(OSError):
            self._folder.rmdir()
            self._folder.parent.rmdir()
        os.close(self._descriptor)

    close = release


def _locked_descriptor(folder: Path) -> int | None:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # the last holder has just removed it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        if _is_still(folder, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still(folder: Path, descriptor: int) -> bool:
    """Whether the locked folder is the one that stands at this path: its last holder may have removed it."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _recover_folder(bundle: Path, folder: Path) -> Iterator[Recovery]:
    for number in _numbers(folder.iterdir(), _SEGMENT):
        yield _seal(bundle, folder / f"{number}.arrows", folder.name, number)


def _seal(bundle: Path, segment: Path, collector: str, number: int) -> Recovery:
    table, batches, torn_bytes = _read_stream(segment)
    rows = sum(batch.num_rows for batch in batches)
    was_sealed = False
    if table is not None and batches:
        sealed = bundle / "evidence" / table.name / f"{collector}-{number}.parquet"
        was_sealed = sealed.exists()
        if not was_sealed:
            notes = {"rtoanalytics.collector": collector, "rtoanalytics.torn_bytes": str(torn_bytes)}
            write_evidence(pa.Table.from_batches(batches), table, sealed, notes)
    recovery = Recovery(segment.relative_to(bundle).as_posix(), rows, len(batches), torn_bytes, was_sealed)
    if torn_bytes and not was_sealed:
        _note_torn_tail(bundle, recovery)
    segment.unlink()
    sync_folder(segment.parent)
    return recovery


def _note_torn_tail(bundle: Path, recovery: Recovery) -> None:
    """Say it in the evidence: what was lost with the tail is not known, only that there was one."""
    if has_drill(bundle):
        text = (
            f"{recovery.segment}: torn tail, {recovery.batches} whole batches ({recovery.rows} rows) kept, "
            f"{recovery.torn_bytes} bytes dropped"
        )
        mark(bundle, "note", actor="rto", text=text, source="rto spool")


def _read_stream(path: Path) -> tuple[Table | None, list[pa.RecordBatch], int]:
    """The table, the whole batches and the bytes after them. A stream cut inside its schema has no table."""
    content = path.read_bytes()
    source = pa.BufferReader(content)
    batches: list[pa.RecordBatch] = []
    whole = 0
    try:
        stream = pa.ipc.open_stream(source)
    except (pa.ArrowException, OSError):
        return None, [], len(content)
    whole = source.tell()
    try:
        while True:
            batches.append(stream.read_next_batch())
            whole = source.tell()
    except StopIteration:
        whole = source.tell()  # zeros look like the end of a stream: what follows them is torn all the same
    except (pa.ArrowException, OSError):
        pass  # the torn tail: everything before it is kept
    return _table_of(stream.schema, path), batches, len(content) - whole


def _table_of(schema: pa.Schema, path: Path) -> Table:
    name = (schema.metadata or {}).get(_TABLE_KEY, b"").decode()
    if name not in TABLES:
        found = f'a segment of the table "{name}"'
        allowed = "written by another version of rtoanalytics; recover it with that version"
        raise EvidenceError([Problem(str(path), found, allowed)])
    return TABLES[name]


def _next_number(bundle: Path, table: str, collector: str) -> int:
    sealed = re.compile(rf"{re.escape(collector)}-(\d+)\.parquet")
    taken = _numbers((bundle / "evidence" / table).glob("*.parquet"), sealed)
    left = _numbers((bundle / "spool" / collector).iterdir(), _SEGMENT)
    return max([*taken, *left], default=0) + 1


def _numbers(paths: Iterable[Path], pattern: re.Pattern[str]) -> list[int]:
    matches = (pattern.fullmatch(path.name) for path in paths)
    return sorted(int(match[1]) for match in matches if match)


def _batch(rows: list[Row], table: Table) -> pa.RecordBatch:
    arrays = [pa.array([row.get(column.name) for row in rows], column.arrow_type) for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _table(name: str) -> Table:
    if name not in TABLES:
        msg = f'no evidence table is named "{name}"; allowed: {", ".join(TABLES)}'
        raise DefectError(msg)
    return TABLES[name]


def _collector(name: str) -> str:
    if not _COLLECTOR.fullmatch(name):
        msg = f'"{name}" cannot name a spool; use lower-case letters, digits, ".", "_" and "-"'
        raise UsageError(msg)
    return name


def _unknown_columns(table: Table, row: Mapping[str, object]) -> str:
    unknown = ", ".join(sorted(row.keys() - table.by_name.keys()))
    return f"{table.name} has no column {unknown}; it has {', '.join(table.by_name)}"
