"""Analyze a bundle only where its results are missing or older than what they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.bundle.files import ATTACHMENTS, DRILL, EVIDENCE, MANIFEST
from rtoanalytics.results import FOLDER, RELATIONS, SCORECARD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SOURCES = (DRILL, MANIFEST, EVIDENCE, ATTACHMENTS)


def analyzed(bundle: Path) -> bool:
    """Analyze a bundle if that is needed, and tell whether it was. Raises what `analyze_bundle` raises."""
    if is_fresh(bundle):
        return False
    analyze_bundle(bundle)
    return True


def is_fresh(bundle: Path) -> bool:
    """Whether every result stands and none is older than the definition, the evidence or the attachments.

    Folders count too: theirs is the time when a file was added or removed.
    """
    results = [bundle / FOLDER / name for name in (SCORECARD, *(f"{relation}.parquet" for relation in RELATIONS))]
    try:
        written = min(path.stat().st_mtime_ns for path in results)
        return (bundle / DRILL).is_file() and max(_changed(bundle)) <= written
    except FileNotFoundError:
        return False


def _changed(bundle: Path) -> Iterator[int]:
    for name in _SOURCES:
        path = bundle / name
        if path.exists():
            yield path.stat().st_mtime_ns
            yield from (child.stat().st_mtime_ns for child in path.rglob("*"))
