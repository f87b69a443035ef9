"""The bundles that are shown: found, read, and told apart by a key that fits into an address."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from rtoanalytics.bundle.files import DRILL, MANIFEST
from rtoanalytics.bundle.opening import read_drill
from rtoanalytics.bundle.spool import open_segments
from rtoanalytics.errors import RtoError
from rtoanalytics.report.freshness import is_fresh
from rtoanalytics.report.reading import read_scorecard
from rtoanalytics.results import FOLDER, SCORECARD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LOOK_AGAIN_SECONDS = 5
"""How long the list of bundles is kept before folders are looked through again."""


@dataclass(frozen=True)
class Entry:
    """One bundle of the library."""

    key: str
    """The drill's id; with the folder behind it where two bundles have one id."""
    root: Path
    digest: str
    """Changes when the results or the manifest do: what pages keep, they keep by it."""
    scorecard: dict[str, Any] | None
    problem: str | None
    """Why there is no scorecard, or why it cannot be trusted to be current; None where all is well."""
    is_capturing: bool
    drill_id: str
    """The id in the scorecard, else in the definition, else the name of the folder."""
    title: str
    """What people call it: the title if it has one, else its id."""


@st.cache_resource(ttl=LOOK_AGAIN_SECONDS, show_spinner=False)
def read_entries(places: tuple[Path, ...]) -> list[Entry]:
    """Every bundle in the places, newest first; one that cannot be read is there with its problem."""
    found = {root.resolve(): root.resolve() for place in places for root in _bundles_in(place)}
    entries = [read_entry(root) for root in sorted(found)]
    keyed = [_with_key(entry, entries) for entry in entries]
    return sorted(keyed, key=lambda entry: (_instant(entry), entry.key), reverse=True)


def read_entry(root: Path) -> Entry:
    """One bundle as it stands in a list; whether its results are current is told by `current`."""
    problem = None
    scorecard = None
    try:
        scorecard = _scorecard(str(root), _stamp(root / FOLDER / SCORECARD))
    except (RtoError, KeyError, TypeError) as error:
        problem = _no_scorecard(root, error)
    capturing = bool(open_segments(root))
    drill_id, title = (scorecard["drill"]["id"], scorecard["drill"]["title"]) if scorecard else _defined(root)
    return Entry("", root, _short_digest(root), scorecard, problem, capturing, drill_id, title or drill_id)


def current(entry: Entry) -> Entry:
    """The bundle as a page of its own shows it: every result counts in the digest, and old results are told."""
    problem = entry.problem if entry.scorecard is None else _problem(entry.root)
    return replace(entry, digest=digest_of(entry.root), problem=problem)


def digest_of(root: Path) -> str:
    """A digest of the results and the manifest, from names, sizes and times; the scorecard counts with its bytes."""
    known = hashlib.sha256()
    results = root / FOLDER
    files = [*sorted(results.glob("*.parquet")), results / SCORECARD, root / MANIFEST, root / DRILL]
    for path in files:
        known.update(f"{path.name} {_stamp(path)}\n".encode())
    return known.hexdigest()[:16]


def _short_digest(root: Path) -> str:
    return f"{_stamp(root / FOLDER / SCORECARD)} {_stamp(root / MANIFEST)} {_stamp(root / DRILL)}"


def is_stale(entry: Entry) -> bool:
    """Whether there are results, but older than what they were made from."""
    return entry.scorecard is not None and entry.problem is not None


@st.cache_resource(max_entries=4096, show_spinner=False)
def _scorecard(root: str, stamp: str) -> dict[str, Any]:  # noqa: ARG001  (kept by it)
    scorecard = read_scorecard(Path(root))
    for name in ("drill", "verdict", "rows", "recovery", "recovery_point", "ledger", "totals", "backlog", "coverage"):
        scorecard[name]  # what is not a scorecard is found out here, once
    return scorecard


def _defined(root: Path) -> tuple[str, str | None]:
    """Id and title in the definition; of one that cannot be read the name of its folder."""
    try:
        drill = read_drill(root)
    except RtoError:
        return root.name, None
    return drill.id, drill.title


def _problem(root: Path) -> str | None:
    try:
        read_drill(root)
    except RtoError as error:
        return str(error)
    if is_fresh(root):
        return None
    return "The results are older than the evidence or the definition."


def _no_scorecard(root: Path, error: Exception) -> str:
    try:
        read_drill(root)
    except RtoError as broken:
        return str(broken)
    if isinstance(error, KeyError | TypeError):
        return f"{FOLDER}/{SCORECARD}: not a scorecard of this version; analyze the bundle again"
    if not (root / FOLDER / SCORECARD).exists():
        return "The bundle has not been analyzed."
    return str(error)


def _bundles_in(place: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(place):
        if DRILL in files:
            names.clear()
            yield Path(folder)
        names[:] = sorted(name for name in names if not name.startswith("."))


def _with_key(entry: Entry, entries: Iterable[Entry]) -> Entry:
    same = [other for other in entries if other.drill_id == entry.drill_id]
    key = entry.drill_id if len(same) == 1 else f"{entry.drill_id}@{entry.root.parent.name}-{entry.root.name}"
    return replace(entry, key=key)


def _instant(entry: Entry) -> str:
    if entry.scorecard is None:
        return "9" if entry.is_capturing else ""
    drill = entry.scorecard["drill"]
    return str(entry.scorecard["recovery"]["clock_started_at"] or drill["started_at"] or "")


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns} {found.st_size}"
