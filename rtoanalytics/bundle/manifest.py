"""manifest.json: every file of a sealed bundle with its size, rows and SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtoanalytics import __version__
from rtoanalytics.bundle.files import (
    DRILL,
    EVIDENCE,
    MANIFEST,
    attachment_files,
    place_problem,
    relative_name,
    table_files,
)
from rtoanalytics.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Describe = Callable[[Path, str], "SealedFile"]

ADDED = "added after sealing"
"""What is found of a file that the manifest does not name."""
_RESTORE = "restore what was sealed, or seal again and say why in the drill's record"


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SealedFile(_Facts):
    """One file as it was when the bundle was sealed."""

    path: Annotated[str, Field(pattern=r"^(drill\.yaml|(evidence|attachments)/.+)$")]
    """Relative to the bundle, with forward slashes."""
    bytes: Annotated[int, Field(ge=0)]
    rows: Annotated[int, Field(ge=0)] | None
    """Rows of an evidence file; null for every other file."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Facts):
    """What a bundle held when it was sealed."""

    schema_version: Literal[1] = 1
    drill_id: str
    tool_version: str
    files: tuple[SealedFile, ...]
    """Sorted by path."""

    def to_bytes(self) -> bytes:
        """The text of manifest.json: the same facts give the same bytes."""
        return self.model_dump_json(indent=1).encode() + b"\n"


def make_manifest(drill_id: str, files: Iterable[SealedFile]) -> Manifest:
    """The manifest of a drill whose files are as described."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    return Manifest(drill_id=drill_id, tool_version=__version__, files=ordered)


def describe_file(path: Path, name: str) -> SealedFile:
    """A file as it stands now, under the name it has in a manifest."""
    rows = pq.read_metadata(path).num_rows if name.startswith(f"{EVIDENCE}/") else None
    return SealedFile(path=name, bytes=path.stat().st_size, rows=rows, sha256=sha256_of(path))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal. Raises OSError."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_manifest(root: Path) -> tuple[Manifest | None, list[Problem]]:
    """The manifest of a bundle, None without problems when it has none, or what is wrong with it."""
    path = root / MANIFEST
    problem = place_problem(root, path)
    if problem:
        return None, [problem]
    try:
        return Manifest.model_validate_json(path.read_bytes()), []
    except FileNotFoundError:
        return None, []
    except OSError as error:
        return None, [Problem(MANIFEST, f"cannot be read ({error.strerror})", _RESTORE)]
    except ValidationError as error:
        return None, [_malformed(detail["loc"], str(detail["msg"])) for detail in error.errors()]


def manifest_problems(root: Path, manifest: Manifest, describe: Describe = describe_file) -> list[Problem]:
    """How the files of a bundle differ from what its manifest says; `describe` tells what a file is now."""
    present, problems = sealable_files(root)
    listed = {file.path for file in manifest.files}
    for sealed in manifest.files:
        problems += _file_problems(root, sealed, describe, is_present=sealed.path in present)
    problems += [Problem(name, ADDED, _RESTORE) for name in present if name not in listed]
    return problems


def sealable_files(root: Path) -> tuple[dict[str, Path], list[Problem]]:
    """The files of a bundle that a manifest names, by that name, and those that it cannot name."""
    tables, problems = table_files(root)
    attachments, wrong = attachment_files(root)
    paths = [*(path for files in tables.values() for path in files), *attachments]
    drill = root / DRILL
    if drill.is_file():
        paths.append(drill)
    return {relative_name(root, path): path for path in sorted(paths)}, problems + wrong


def _file_problems(root: Path, sealed: SealedFile, describe: Describe, *, is_present: bool) -> list[Problem]:
    if not is_present:
        return [Problem(sealed.path, "missing", _RESTORE)]
    try:
        now = describe(root / sealed.path, sealed.path)
    except (OSError, pa.ArrowException) as error:
        return [Problem(sealed.path, f"cannot be read ({error})", _RESTORE)]
    if now.sha256 != sealed.sha256:
        found = f"changed: SHA-256 {now.sha256[:12]}… ({now.bytes} bytes)"
        return [Problem(sealed.path, found, f"sealed as {sealed.sha256[:12]}… ({sealed.bytes} bytes); {_RESTORE}")]
    if now != sealed:
        found = f"{sealed.bytes} bytes and {sealed.rows} rows"
        return [Problem(f"{MANIFEST}, {sealed.path}", found, f"the file has {now.bytes} and {now.rows}; {_RESTORE}")]
    return []


def _malformed(location: tuple[int | str, ...], message: str) -> Problem:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return Problem(f"{MANIFEST}, {place}" if place else MANIFEST, message.lower(), _RESTORE)
