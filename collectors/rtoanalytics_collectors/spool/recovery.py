"""Turn what a capture left in its spool into evidence: whole batches are kept, a torn tail is said."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics.errors import EvidenceError, Problem
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.bundle import has_drill, refuse_sealed
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.parquet import sync_folder, write_evidence
from rtoanalytics_collectors.spool.folder_lock import FolderLock
from rtoanalytics_collectors.spool.segments import TABLE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rtoanalytics.schemas import Table

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
            with contextlib.closing(lock):
                done += recover_folder(bundle, folder)
    return done


def recover_folder(bundle: Path, folder: Path) -> Iterator[Recovery]:
    """Seal the segments of one collector, lowest number first. The caller holds the folder's lock."""
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
    name = (schema.metadata or {}).get(TABLE_KEY, b"").decode()
    if name not in TABLES:
        found = f'a segment of the table "{name}"'
        allowed = "written by another version of rtoanalytics; recover it with that version"
        raise EvidenceError([Problem(str(path), found, allowed)])
    return TABLES[name]


def next_number(bundle: Path, table: str, collector: str) -> int:
    """The number of a collector's next segment: above every one that was sealed or is left."""
    sealed = re.compile(rf"{re.escape(collector)}-(\d+)\.parquet")
    taken = _numbers((bundle / "evidence" / table).glob("*.parquet"), sealed)
    left = _numbers((bundle / "spool" / collector).iterdir(), _SEGMENT)
    return max([*taken, *left], default=0) + 1


def _numbers(paths: Iterable[Path], pattern: re.Pattern[str]) -> list[int]:
    matches = (pattern.fullmatch(path.name) for path in paths)
    return sorted(int(match[1]) for match in matches if match)
