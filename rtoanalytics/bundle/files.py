"""What a bundle holds: its files, what each table's files look like, and what the folder listing alone can refuse."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rtoanalytics.errors import Problem, nearest
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from rtoanalytics.drill import Drill

DRILL = "drill.yaml"
EVIDENCE = "evidence"
ATTACHMENTS = "attachments"
SPOOL = "spool"
MANIFEST = "manifest.json"

_GLOB_CHARACTERS = frozenset("[*?")


@dataclass(frozen=True)
class EvidenceFile:
    """One Parquet file of one table, as its footer describes it."""

    path: Path
    name: str
    """Path relative to the bundle, with forward slashes."""
    rows: int
    columns: Mapping[str, pa.DataType]
    """Every column in file order, those beyond the contract too."""


@dataclass(frozen=True)
class Bundle:
    """One drill's folder, read as far as the drill definition and the footers of its evidence."""

    root: Path
    drill: Drill
    files: Mapping[str, tuple[EvidenceFile, ...]]
    """Files by table, sorted by path. A table that was not captured is absent."""
    attachments: tuple[str, ...]
    """Paths relative to the bundle, with forward slashes, sorted."""
    constants: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    """By table and column: the text that every row has there, None for null, as far as `constant_columns` was asked."""

    def rows(self, table_name: str) -> int:
        """Rows of a table, as its footers say."""
        return sum(file.rows for file in self.files.get(table_name, ()))

    def has(self, table_name: str) -> bool:
        """Whether the table was captured (with or without rows)."""
        return table_name in self.files


def is_ignored(path: Path) -> bool:
    """Whether a name says that a file is not evidence: hidden, or still being written."""
    return path.name.startswith(".") or path.name.endswith(".tmp")


def entries(folder: Path) -> list[Path]:
    """What stands in a folder, sorted by name, without what is ignored. Nothing when there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if not is_ignored(path)), key=lambda path: path.name)


def files_under(folder: Path) -> Iterator[Path]:
    """Every entry below a folder that is not a folder itself, in a fixed order, without what is ignored."""
    for path in entries(folder):
        if path.is_dir():
            yield from files_under(path)
        else:
            yield path


def table_files(root: Path) -> tuple[dict[str, list[Path]], list[Problem]]:
    """The Parquet files of each table of a bundle, and what is wrong with the folders and names around them."""
    evidence = root / EVIDENCE
    problem = place_problem(root, evidence) or _not_a_folder(root, evidence)
    if problem:
        return {}, [problem]
    tables: dict[str, list[Path]] = {}
    problems: list[Problem] = []
    for folder in entries(evidence):
        refused = place_problem(root, folder) or _table_problem(root, folder)
        if refused:
            problems.append(refused)
            continue
        kept, wrong = _parquet_files(root, folder)
        tables[folder.name] = kept
        problems += wrong
    return tables, problems


def attachment_files(root: Path) -> tuple[list[Path], list[Problem]]:
    """The files people added, and those that cannot be read from inside the bundle."""
    folder = root / ATTACHMENTS
    problem = place_problem(root, folder) or _not_a_folder(root, folder)
    if problem:
        return [], [problem]
    kept = []
    problems = []
    for path in _safe_files_under(root, folder):
        refused = place_problem(root, path) or (None if path.is_file() else _not_a_file(root, path))
        if refused:
            problems.append(refused)
        else:
            kept.append(path)
    return kept, problems


def place_problem(root: Path, path: Path) -> Problem | None:
    """What is wrong with where a path stands: a link that leads out of the bundle or nowhere, or an impossible name."""
    where = relative_name(root, path)
    try:
        where.encode()
    except UnicodeEncodeError:
        return Problem(ascii(where), "a name that is not UTF-8", "rename it")
    if not path.is_symlink():
        return _permission_problem(where, path)
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return Problem(where, "a link to nothing", "remove it, or copy the file here")
    if target.is_relative_to(root.resolve()):
        return _permission_problem(where, path)
    return Problem(where, f"a link out of the bundle, to {target}", "nothing outside a bundle is read; copy it here")


def relative_name(root: Path, path: Path) -> str:
    """The path inside the bundle, with forward slashes."""
    return path.relative_to(root).as_posix()


def _permission_problem(where: str, path: Path) -> Problem | None:
    needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
    if not path.exists() or os.access(path, needed):
        return None
    return Problem(where, "may not be read by this user", "give this user permission to read it")


def _safe_files_under(root: Path, folder: Path) -> Iterator[Path]:
    """Like `files_under`, but a linked folder is one entry: it may lead out of the bundle or back to a parent."""
    for path in entries(folder):
        if path.is_dir() and not path.is_symlink():
            yield from _safe_files_under(root, path)
        else:
            yield path


def _table_problem(root: Path, folder: Path) -> Problem | None:
    where = relative_name(root, folder)
    if not folder.is_dir():
        return Problem(where, "a file", "only folders named for tables stand here; move it out")
    if folder.name not in TABLES:
        allowed = f"rename it or move it out; tables are {', '.join(TABLES)}"
        return Problem(where, f"no such table{nearest(folder.name, TABLES)}", allowed)
    return None


def _parquet_files(root: Path, folder: Path) -> tuple[list[Path], list[Problem]]:
    kept: list[Path] = []
    problems: list[Problem] = []
    for path in entries(folder):
        refused = place_problem(root, path) or _file_problem(root, path)
        if refused:
            problems.append(refused)
        else:
            kept.append(path)
    return kept, problems


def _file_problem(root: Path, path: Path) -> Problem | None:
    where = relative_name(root, path)
    if path.suffix != ".parquet":
        kind = "a folder" if path.is_dir() else "not a .parquet file"
        return Problem(where, kind, "only .parquet is read; move it out")
    if not path.is_file():
        return _not_a_file(root, path)
    text = str(path)
    if "\\" in text and _GLOB_CHARACTERS & set(text):
        return Problem(where, "a path with a backslash and one of [ * ?", "the two cannot be read together; rename it")
    return None


def _not_a_folder(root: Path, path: Path) -> Problem | None:
    if path.is_dir() or not path.exists():
        return None
    return Problem(relative_name(root, path), "a file", "a folder must stand here; move it out")


def _not_a_file(root: Path, path: Path) -> Problem:
    kind = "a folder" if path.is_dir() else "not a regular file"
    return Problem(relative_name(root, path), kind, "a file must stand here; move it out")
