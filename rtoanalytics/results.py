"""Write results/: derived, may be deleted, and the same bytes for the same bundle."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rtoanalytics.errors import EvidenceError, Problem
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.engines.duckdb import Engine

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

_INSTANT = pa.timestamp("us", tz="UTC")


def write_results(engine: Engine, scorecard: dict[str, Any]) -> Path:
    """Write every file of results/ of the engine's bundle and return the folder.

    The files are written beside the old ones and take their place together, so that no half-written results are left
    when the process is stopped. Raises EvidenceError when the bundle cannot be written to.
    """
    root = engine.bundle.root
    building, target = root / f".{FOLDER}.tmp", root / FOLDER
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        for name in RELATIONS:
            write_relation(with_instants(engine.arrow(name)), building / f"{name}.parquet")
        (building / SCORECARD).write_bytes(scorecard_bytes(scorecard))
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        problem = Problem(FOLDER, f"cannot be written ({error.strerror})", "copy the bundle to where you may write")
        raise EvidenceError([problem]) from None
    return target


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
