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

import re
import threading
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from rtoanalytics.errors import DefectError, EvidenceError, UsageError
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.bundle import refuse_sealed
from rtoanalytics_collectors.spool.folder_lock import FolderLock
from rtoanalytics_collectors.spool.recovery import next_number, recover_folder
from rtoanalytics_collectors.spool.segments import Segment

if TYPE_CHECKING:
    from collections.abc import Mapping
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

_COLLECTOR = re.compile(r"[a-z0-9][a-z0-9._-]*")


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
        self._lock = FolderLock(self._folder)
        self.recovered = list(recover_folder(bundle, self._folder))
        self._next = next_number(bundle, self.table.name, self.collector)
        self._names = frozenset(self.table.by_name)
        self._waiting: list[Row] = []
        self._waiting_lock = threading.Lock()
        self._io_lock = threading.Lock()
        self._segment: Segment | None = None
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

    def _new_segment(self) -> Segment:
        segment = Segment(self._folder / f"{self._next}.arrows", self.table)
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
            list(recover_folder(self._bundle, self._folder))
        except (OSError, pa.ArrowException, EvidenceError) as error:
            self._count_error(error)

    def _count_error(self, error: Exception) -> None:
        self._errors += 1
        self.last_error = f"{type(error).__name__}: {error}"


def _batch(rows: list[Row], table: Table) -> pa.RecordBatch:
    arrays = [pa.array([row.get(column.name) for row in rows], column.arrow_type) for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema)


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
