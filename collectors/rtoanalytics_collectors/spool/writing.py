"""An append-only spool per collector: what was captured survives the capture being killed.

Rows are buffered, written as whole Arrow record batches to `<bundle>/spool/<collector>/<n>.arrows` (IPC stream, lz4)
and made durable at least every `FLUSH_SECONDS`. A segment is rotated by age or size and sealed into
`<bundle>/evidence/<table>/<collector>-<n>.parquet`: written under a temporary name, synced, renamed, the folder
synced, and only then is the segment deleted. A Parquet file without its footer is lost as a whole, a stream only
loses the batch it was cut in: that is why capture never appends to Parquet.

One process writes a collector's spool at a time (the folder is locked while it is open). A disk that fails costs
evidence, never the application: errors are counted, rows wait in memory, and `append` does not raise for it. A disk
that hangs costs no more: what is appended meanwhile is bounded too, and what is sealed is sealed between two writes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from rtoanalytics.errors import DefectError, EvidenceError
from rtoanalytics_collectors.bundle import refuse_sealed
from rtoanalytics_collectors.spool.folder_lock import FolderLock
from rtoanalytics_collectors.spool.names import collector_named, table_named
from rtoanalytics_collectors.spool.recovery import next_number, recover_folder
from rtoanalytics_collectors.spool.runs import text_schema
from rtoanalytics_collectors.spool.segments import Segment
from rtoanalytics_collectors.spool.waiting import Row, Waiting, portions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rtoanalytics.schemas import Table

Source = Callable[[bool], "Iterable[pa.RecordBatch]"]
"""Gives what came up since it was asked last, as batches of the table's schema. Called from threads of the spool; True
when it is the last time."""

FLUSH_SECONDS = 0.25
"""The longest a row waits in memory before it is durable, while the disk keeps up."""
ROTATE_SECONDS = 60.0
ROTATE_BYTES = 64 * 1024 * 1024
MAX_WAITING_ROWS = 1_000_000
"""Rows that wait for a failing disk; beyond that the newest are dropped and counted."""
FLUSH_ROWS = 20_000
"""Rows that wake the writer before its time is up: bounds memory and the size of a batch."""

MAX_PAUSE_SECONDS = 5.0
"""The longest a failing disk is left alone between two tries."""
PULL_SECONDS = 1.0
"""How often sources are asked while the disk hangs."""


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

        Raises UsageError when the bundle is sealed, SpoolInUseError when another process writes this collector's
        spool, OSError when the disk refuses.
        """
        self.table = table_named(table)
        self.collector = collector_named(collector or table)
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
        self._waiting = Waiting(self.table, MAX_WAITING_ROWS)
        self._sources: list[Source] = []
        self._io_lock = threading.Lock()
        self._segment: Segment | None = None
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._rows = self._durable = self._errors = self._dropped = 0
        self._pause_seconds = 0.0
        self._has_ended = False
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
    def waiting_rows(self) -> int:
        """Rows in memory: appended, neither on disk yet nor dropped."""
        return self._rows - self._durable - self._dropped

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
        self._count(len(rows), self._waiting.add_rows(rows))
        self._wake_when_full()

    def append_batch(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch. Returns at once.

        Its schema is the table's own, or the same with names as runs (`runs_schema`). Raises DefectError for another.
        """
        self._add_batch(batch)
        self._wake_when_full()

    def add_source(self, source: Source) -> None:
        """Ask `source` for rows before every write, and until the spool is closed: nobody need call `append` then."""
        self._sources.append(source)
        if len(self._sources) == 1:
            threading.Thread(target=self._pull_until_closed, name=f"pull {self.collector}", daemon=True).start()

    def flush(self) -> None:
        """Make every appended row durable, and rotate when it is time. Failures are counted, not raised.

        Sealing is left to the spool's own thread: nobody who flushes waits for it.
        """
        with self._io_lock:
            self._write_waiting()
            if self._segment and self._segment.is_due(self._rotate_seconds, self._rotate_bytes):
                self._end_segment()
                self._has_ended = True

    def close(self) -> None:
        """Write and seal everything, stop the writer, release the folder. Safe to call twice.

        What a failing disk refuses stays in the spool, for `recover` to seal later.
        """
        self._pull(is_last=True)
        if not self._waiting.close():
            return
        self._ended.set()
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

    def _add_batch(self, batch: pa.RecordBatch) -> None:
        if not text_schema(batch.schema).equals(self.table.arrow_schema):
            msg = f"a batch of {self.table.name} has another schema than the table: {batch.schema}"
            raise DefectError(msg)
        self._count(batch.num_rows, self._waiting.add_batch(batch))

    def _count(self, added: int, refused: int) -> None:
        self._rows += added
        self._dropped += refused

    def _wake_when_full(self) -> None:
        if len(self._waiting) >= FLUSH_ROWS and not self._pause_seconds:
            self._wake.set()

    def _write_until_closed(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(max(self._flush_seconds, self._pause_seconds))
            self._wake.clear()
            self.flush()
            if self._has_ended:
                self._has_ended = False
                self._seal_leftovers()

    def _pull_until_closed(self) -> None:
        """Keep what sources hold bounded, also while the writer waits for the disk."""
        while not self._ended.wait(PULL_SECONDS):
            self._pull()

    def _pull(self, *, is_last: bool = False) -> None:
        for source in self._sources:
            for batch in source(is_last):  # nobody is woken for them: who asks for them writes them, or cannot
                self._add_batch(batch)

    def _write_waiting(self) -> None:
        self._pull()
        batches, misfits = self._waiting.take()
        for error in misfits:
            self._count_error(error)
            self._dropped += 1
        portions = list(portions_of(batches))
        while portions and self._is_written(portions[0]):
            del portions[0]
        self._waiting.put_back([batch for portion in portions for batch in portion])

    def _is_written(self, batches: list[pa.RecordBatch]) -> bool:
        schema = batches[0].schema
        if self._segment and self._segment.schema != schema:
            self._end_segment()
            self._has_ended = True
        try:
            if self._segment is None:
                self._segment = self._new_segment(schema)
            self._segment.write(*batches)
        except OSError as error:
            self._count_error(error)
            self._give_up_segment()
            self._pause_seconds = min(MAX_PAUSE_SECONDS, max(self._flush_seconds, 2 * self._pause_seconds))
            return False
        self._durable += sum(batch.num_rows for batch in batches)
        self._pause_seconds = 0.0
        self.last_error = None
        return True

    def _new_segment(self, schema: pa.Schema) -> Segment:
        segment = Segment(self._folder / f"{self._next}.arrows", self.table, schema)
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
        with self._io_lock:
            below = self._next if self._segment is None else self._next - 1
        try:
            between = self._write_when_due(time.monotonic)
            list(recover_folder(self._bundle, self._folder, between, below=below))
        except (OSError, pa.ArrowException, EvidenceError) as error:
            self._count_error(error)

    def _write_when_due(self, monotonic: Callable[[], float]) -> Callable[[], None]:
        """Writes what has come up while a segment is being sealed, at the usual pace: sealing delays nothing."""
        due = monotonic() + self._flush_seconds

        def write() -> None:
            nonlocal due
            if monotonic() >= due:
                with self._io_lock:
                    self._write_waiting()
                due = monotonic() + self._flush_seconds

        return write

    def _count_error(self, error: Exception) -> None:
        self._errors += 1
        self.last_error = f"{self._folder}: {type(error).__name__}: {error}"


def _unknown_columns(table: Table, row: Mapping[str, object]) -> str:
    unknown = ", ".join(sorted(row.keys() - table.by_name.keys()))
    return f"{table.name} has no column {unknown}; it has {', '.join(table.by_name)}"
