"""Open a bundle: the drill definition and the footers of its evidence, with every problem reported at once."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

import duckdb

from rtoanalytics.bundle.files import (
    DRILL,
    EVIDENCE,
    SPOOL,
    Bundle,
    EvidenceFile,
    attachment_files,
    entries,
    place_problem,
    relative_name,
    table_files,
)
from rtoanalytics.bundle.footers import read_footer
from rtoanalytics.bundle.swap import finish_interrupted
from rtoanalytics.bundle.values import file_problems
from rtoanalytics.drill import load_drill
from rtoanalytics.errors import DrillError, EvidenceError, Problem
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rtoanalytics.drill import Drill

_A_BUNDLE = "a bundle is a folder with a drill.yaml (rto init writes a first one)"


def open_bundle(root: Path, *, allow_open_capture: bool = False) -> Bundle:
    """The bundle in a folder.

    Raises DrillError for drill.yaml, and EvidenceError with every problem that folder listings and Parquet footers can
    show; what only the values show is up to `check_values`. With `allow_open_capture`, segments of a capture that was
    not closed are passed over; without, they are a problem.
    """
    root = bundle_folder(root)
    finish_interrupted(root)
    return read_bundle(root, allow_open_capture=allow_open_capture)


def read_bundle(root: Path, *, allow_open_capture: bool = False) -> Bundle:
    """Like `open_bundle`, of a folder in which no seal was interrupted."""
    drill = read_drill(root)
    files, attachments, problems = read_evidence(root)
    if not allow_open_capture:
        problems += open_capture_problems(root)
    if problems:
        raise EvidenceError(problems)
    return Bundle(root, drill, files, attachments)


def check_bundle(root: Path) -> list[Problem]:
    """Everything that is wrong with a bundle: drill.yaml, folders, footers and values. Nothing is raised.

    A capture that was not closed is not wrong: `open_capture_problems` tells it.
    """
    try:
        root = bundle_folder(root)
    except EvidenceError as error:
        return list(error.problems)
    finish_interrupted(root)
    files, _, problems = read_evidence(root)
    with duckdb.connect() as connection:
        return [*_drill_problems(root), *problems, *file_problems(connection, files)]


def bundle_folder(root: Path) -> Path:
    """The bundle's own absolute path; EvidenceError when there is no folder."""
    if not root.exists():
        raise EvidenceError([Problem(str(root), "no such folder", _A_BUNDLE)])
    if not root.is_dir():
        raise EvidenceError([Problem(str(root), "a file", _A_BUNDLE)])
    if not os.access(root, os.R_OK | os.X_OK):
        raise EvidenceError(
            [Problem(str(root), "may not be read by this user", "give this user permission to read it")]
        )
    return root.resolve()


def open_capture_problems(root: Path) -> list[Problem]:
    """Captured segments that are not evidence yet: a capture is running, or ended without being closed."""
    return [
        Problem(
            relative_name(root, collector),
            f"{len(segments)} captured segments that are not in {EVIDENCE}/ yet",
            "the capture is still running or ended without closing: "
            "wait for it, or turn them into evidence with rto recover",
        )
        for collector in entries(root / SPOOL)
        if (segments := [path for path in entries(collector) if path.suffix == ".arrows"])
    ]


def read_evidence(root: Path) -> tuple[Mapping[str, tuple[EvidenceFile, ...]], tuple[str, ...], list[Problem]]:
    """Evidence files by table, attachments, and what is wrong with any of them."""
    tables, problems = table_files(root)
    files = {}
    for name in TABLES:
        read = [read_footer(root, path, TABLES[name]) for path in tables.get(name, ())]
        problems += [problem for _, found in read for problem in found]
        if read:
            files[name] = tuple(file for file, _ in read if file)
    attached, wrong = attachment_files(root)
    return MappingProxyType(files), _names(root, attached), problems + wrong


def read_drill(root: Path) -> Drill:
    """The drill definition of a bundle. Raises DrillError, or EvidenceError where the file cannot be reached."""
    problem = place_problem(root, root / DRILL)
    if problem:
        raise EvidenceError([problem])
    return load_drill(root / DRILL)


def _drill_problems(root: Path) -> list[Problem]:
    try:
        read_drill(root)
    except DrillError as error:
        lines = str(error).splitlines()
        return [
            Problem(DRILL, line.removeprefix(f"{DRILL}: "), "rto schema prints what may stand there") for line in lines
        ]
    except EvidenceError as error:
        return list(error.problems)
    return []


def _names(root: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(sorted(relative_name(root, path) for path in paths))
