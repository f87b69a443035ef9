"""Write results/: derived, may be deleted, and the same bytes for the same bundle."""

from __future__ import annotations

import errno
import json
import shutil
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rtoanalytics.bundle.exchange import is_interrupted, repair, replace_folder
from rtoanalytics.bundle.swap import exclusive
from rtoanalytics.errors import EvidenceError, Problem, SealError
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rtoanalytics.engines.engine import Engine

FOLDER = "results"
SCORECARD = "scorecard.json"
RELATIONS = (
    "ledger",
    "findings",
    "lag",
    "burn_down",
    "recovery",
    "timeline",
    "coverage",
    "coverage_gaps",
    "produce_outcomes",
    "produces_by_step",
    "client_summary",
    "state_stretches",
)
"""Relations that become results/<relation>.parquet, sorted by every column."""

_LOOK_AGAIN_SECONDS = 0.05
_INSTANT = pa.timestamp("us", tz="UTC")


def write_results(engine: Engine, scorecard: dict[str, Any], *, check: Callable[[], None] = lambda: None) -> Path:
    """Write every file of results/ of the engine's bundle and return the folder.

    The files are written beside the old ones and take their place together: a process that is killed at any moment
    leaves the old results or the new ones, whole. `check` is called between files and may raise to end the work; old
    results stand then. Raises EvidenceError when the bundle cannot be written to.
    """
    root = engine.bundle.root
    building, target = root / f".{FOLDER}.tmp", root / FOLDER
    with _alone(root, check):
        try:
            _build(engine, scorecard, building, check)
            replace_folder(building, target)
        except OSError as error:
            raise EvidenceError([_unwritten(error)]) from None
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return target


def repair_results(root: Path) -> None:
    """Put back the results of a bundle where a process was killed while it replaced them. Does not raise."""
    if is_interrupted(root / FOLDER):
        with suppress(OSError, SealError), exclusive(root):
            repair(root / FOLDER)


def _build(engine: Engine, scorecard: dict[str, Any], building: Path, check: Callable[[], None]) -> None:
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    for name in RELATIONS:
        check()
        write_relation(with_instants(engine.arrow(name)), building / f"{name}.parquet")
    (building / SCORECARD).write_bytes(scorecard_bytes(scorecard))
    check()


@contextmanager
def _alone(root: Path, check: Callable[[], None]) -> Iterator[None]:
    """Hold the bundle against others that seal it or write its results; not where the file system knows no locks."""
    with ExitStack() as held:
        while True:
            check()
            try:
                with suppress(OSError):
                    held.enter_context(exclusive(root))
                break
            except SealError:
                time.sleep(_LOOK_AGAIN_SECONDS)
        with suppress(OSError):
            repair(root / FOLDER)
        yield


def _unwritten(error: OSError) -> Problem:
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    allowed = "make room; older results stand as they were" if is_full else "copy the bundle to where you may write"
    return Problem(FOLDER, f"cannot be written ({error.strerror})", allowed)


def with_instants(table: pa.Table) -> pa.Table:
    """The table with every `…_us` column as `…_at`, timestamp[us, tz=UTC].

    What is no instant (the open end of a gap before or after everything) is null.
    """
    names, columns = [], []
    for name in table.column_names:
        column = table.column(name)
        if name.endswith("_us"):
            name, column = name.removesuffix("_us") + "_at", _instants(column)  # noqa: PLW2901
        names.append(name)
        columns.append(column)
    return pa.table(columns, names=names)


def _instants(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    is_instant = pc.and_(
        pc.greater_equal(column, pa.scalar(FIRST_INSTANT_US)), pc.less(column, pa.scalar(LAST_INSTANT_US))
    )
    instants: pa.ChunkedArray[Any] = pc.if_else(is_instant, column, pa.scalar(None, column.type)).cast(_INSTANT)
    return instants


def write_relation(table: pa.Table, path: Path) -> None:
    """One Parquet file with settings that do not depend on the machine."""
    pq.write_table(table.combine_chunks(), path, compression="zstd", compression_level=3, version="2.6")


def scorecard_bytes(scorecard: dict[str, Any]) -> bytes:
    """scorecard.json for people and programs: indented, UTF-8, with a final newline."""
    return (json.dumps(scorecard, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def scorecard_line(scorecard: dict[str, Any]) -> str:
    """The same document on one line."""
    return json.dumps(scorecard, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read_scorecard(root: Path) -> dict[str, Any]:
    """The scorecard that stands in a bundle's results/. Raises FileNotFoundError when there is none."""
    document: dict[str, Any] = json.loads((root / FOLDER / SCORECARD).read_text("utf-8"))
    return document
