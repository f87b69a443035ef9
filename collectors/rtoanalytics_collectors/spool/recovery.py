"""Turn what a capture left in its spool into evidence: whole batches are kept, a torn tail is said."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics_collectors.bundle import has_drill, refuse_sealed
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.parquet import evidence_file, remove_unfinished, sync_folder
from rtoanalytics_collectors.spool.folder_lock import FolderLock
from rtoanalytics_collectors.spool.runs import for_sealing
from rtoanalytics_collectors.spool.segments import LeftSegment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Between = Callable[[], None]
"""What is done between two portions of a segment that is being sealed."""
PORTION_ROWS = 100_000
"""Rows of a row group, and the most (and one batch) that are in memory while a segment is sealed."""

_SEGMENT = re.compile(r"(\d+)\.arrows")


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
        lock = FolderLock.try_acquire(folder)
        if lock is not None:
            with closing(lock):
                done += recover_folder(bundle, folder)
    return done


def recover_folder(
    bundle: Path, folder: Path, between: Between | None = None, *, below: int | None = None
) -> Iterator[Recovery]:
    """Seal the segments of one collector, lowest number first. The caller holds the folder's lock.

    `between` is called after every portion of rows: a collector goes on capturing while it seals. `below` (exclusive)
    is the number of the segment that it writes meanwhile.
    """
    for number in _numbers(folder.iterdir(), _SEGMENT):
        if below is not None and number >= below:
            return
        yield _seal(bundle, folder / f"{number}.arrows", number, between or _nothing)


def _nothing() -> None:
    """Nothing is done between two portions."""


def _seal(bundle: Path, path: Path, number: int, between: Between) -> Recovery:
    with closing(LeftSegment(path)) as segment:
        was_sealed = _write_rows(bundle, segment, path.parent.name, number, between)
        name = path.relative_to(bundle).as_posix()
        recovery = Recovery(name, segment.rows, segment.batches, segment.torn_bytes, was_sealed)
    if recovery.torn_bytes and not was_sealed:
        _note_torn_tail(bundle, recovery)
    path.unlink()
    sync_folder(path.parent)
    return recovery


def _write_rows(bundle: Path, segment: LeftSegment, collector: str, number: int, between: Between) -> bool:
    """Make a Parquet file of a segment, if it has a row; whether that file was there already."""
    portions = _portions(segment.read())
    first = next(portions, None)
    if segment.table is None or first is None:
        return False
    sealed = bundle / "evidence" / segment.table.name / f"{collector}-{number}.parquet"
    remove_unfinished(sealed)
    if sealed.exists():
        deque(portions, maxlen=0)  # counted, not written again
        return True
    with evidence_file(segment.table, sealed, first.schema) as writer:
        for rows in chain([first], portions):
            writer.write_table(rows)
            between()
        notes = {"rtoanalytics.collector": collector, "rtoanalytics.torn_bytes": str(segment.torn_bytes)}
        writer.add_key_value_metadata(notes)
    return False


def _portions(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together until they are worth a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(for_sealing(batch.replace_schema_metadata()))
        if sum(part.num_rows for part in waiting) >= PORTION_ROWS:
            yield pa.Table.from_batches(waiting).unify_dictionaries()
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting).unify_dictionaries()


def _note_torn_tail(bundle: Path, recovery: Recovery) -> None:
    """Say it in the evidence: what was lost with the tail is not known, only that there was one."""
    if has_drill(bundle):
        text = (
            f"{recovery.segment}: torn tail, {recovery.batches} whole batches ({recovery.rows} rows) kept, "
            f"{recovery.torn_bytes} bytes dropped"
        )
        mark(bundle, "note", actor="rto", text=text, source="rto spool")


def next_number(bundle: Path, table: str, collector: str) -> int:
    """The number of a collector's next segment: above every one that was sealed or is left."""
    sealed = re.compile(rf"{re.escape(collector)}-(\d+)\.parquet")
    taken = _numbers((bundle / "evidence" / table).glob("*.parquet"), sealed)
    left = _numbers((bundle / "spool" / collector).iterdir(), _SEGMENT)
    return max([*taken, *left], default=0) + 1


def _numbers(paths: Iterable[Path], pattern: re.Pattern[str]) -> list[int]:
    matches = (pattern.fullmatch(path.name) for path in paths)
    return sorted(int(match[1]) for match in matches if match)
