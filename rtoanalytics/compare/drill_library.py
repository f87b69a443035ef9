"""Find the bundles that a command names and read each; one that cannot be read does not stop the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.bundle.files import DRILL
from rtoanalytics.compare.readings import Reading, read_drill, shown
from rtoanalytics.errors import RtoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Unread:
    """A bundle or folder that takes no part, and why."""

    bundle: str
    problem: str
    """One line: what was found, and what to do."""


@dataclass(frozen=True)
class Library:
    """Drills that can be compared, by id, and what could not be read, by name."""

    drills: tuple[Reading, ...]
    unread: tuple[Unread, ...]


def read_library(places: Iterable[Path]) -> Library:
    """Read every bundle in `places`: bundles, or folders that hold bundles at any depth. Their order does not matter.

    A bundle that is reached in two ways counts once. Two bundles with the same id are both left out: nobody can tell
    which of them is the drill.
    """
    bundles, unread = _found(places)
    readings: list[Reading] = []
    for bundle in bundles:
        try:
            readings.append(read_drill(bundle))
        except RtoError as error:
            unread.append(Unread(shown(bundle), "; ".join(str(error).splitlines())))
        except OSError as error:
            problem = f"cannot be read ({error.strerror}); give this user permission to read it"
            unread.append(Unread(shown(bundle), problem))
    kept, repeated = _unique(readings)
    return Library(tuple(kept), tuple(sorted([*unread, *repeated], key=lambda item: (item.bundle, item.problem))))


def _found(places: Iterable[Path]) -> tuple[list[Path], list[Unread]]:
    """Bundles by the first of their names, and the places that hold none."""
    bundles: dict[Path, Path] = {}
    unread = []
    for place in sorted(set(places)):
        found = list(_bundles_in(place))
        if not found:
            unread.append(Unread(shown(place), _nothing(place)))
        for bundle in found:
            bundles.setdefault(bundle.resolve(), bundle)
    return sorted(bundles.values()), unread


def _bundles_in(place: Path) -> Iterator[Path]:
    """The bundle itself, or those below a folder; hidden folders are passed over, links are not followed."""
    for folder, names, files in os.walk(place):
        if DRILL in files:
            names.clear()
            yield Path(folder)
        names[:] = sorted(name for name in names if not name.startswith("."))


def _nothing(place: Path) -> str:
    what = "no such folder" if not place.exists() else "a file" if place.is_file() else f"no {DRILL} in it or below it"
    return f"{what}; name bundles (folders with a {DRILL}), or folders that hold bundles"


def _unique(readings: Iterable[Reading]) -> tuple[list[Reading], list[Unread]]:
    by_id: dict[str, list[Reading]] = {}
    for reading in readings:
        by_id.setdefault(reading.id, []).append(reading)
    kept, unread = [], []
    for name, same in sorted(by_id.items()):
        if len(same) == 1:
            kept += same
            continue
        for reading in same:
            others = ", ".join(sorted(other.bundle for other in same if other is not reading))
            problem = f'drill "{name}" is also in {others}; an id is unique in a library: leave one of them out'
            unread.append(Unread(reading.bundle, problem))
    return kept, unread
