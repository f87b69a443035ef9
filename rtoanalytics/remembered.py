"""What the last analysis of a bundle read and wrote, so that the next one reads only what is new.

It stands in .analysis/ of the bundle: derived, may be deleted, and never part of an answer. Results are current when
the program, the engine and every input are what they were (see `bundle.identity`), nothing was added or removed, and
every result still has the bytes that were written. Whatever is in doubt is analyzed again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rtoanalytics import __version__
from rtoanalytics.bundle.files import MANIFEST
from rtoanalytics.bundle.identity import SeenFile, identity_of, is_still, look_at, present_files
from rtoanalytics.bundle.manifest import describe_file, sha256_of
from rtoanalytics.engines.summaries import Summaries
from rtoanalytics.results import FOLDER as RESULTS
from rtoanalytics.results import RELATIONS, SCORECARD

if TYPE_CHECKING:
    from rtoanalytics.bundle.manifest import Manifest, SealedFile

FOLDER = ".analysis"
INPUTS = "inputs.json"
SUMMARIES = "summaries"
NOBODY = "none"
"""The engine of a note without results."""

_PACKAGE = Path(__file__).parent
_QUERIES = (_PACKAGE / "queries", _PACKAGE.parent / "queries")
_LIBRARIES = ("duckdb", "pyarrow")
"""Libraries of whose versions the bytes of results/ depend."""
_RESULT_FILES = (*(f"{relation}.parquet" for relation in RELATIONS), SCORECARD)


class Remembered(BaseModel):
    """One analysis that came to its end, or a seal, which checks evidence and writes no results."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    program: str
    """Digest of what computes answers: `program_digest`."""
    engine: str
    analyzed_at: str
    """When it ended, UTC, to the second."""
    files: dict[str, SeenFile]
    """Every input by its name in the bundle, as it was when the analysis began. Evidence was found in order."""
    results: dict[str, str]
    """SHA-256 of every file of results/ that it wrote, by name; none after a seal."""


class Inputs:
    """What an analysis reads, as it was when the analysis began, and what it need not read again."""

    def __init__(self, files: dict[str, SeenFile] | None, known: frozenset[str] = frozenset()) -> None:
        self.files = files
        """By name; None where they cannot be told, so that nothing can be remembered."""
        self.known = known
        """Names of the files that the last analysis found in order."""

    @classmethod
    def of(cls, root: Path, before: Remembered | None) -> Inputs:
        """Those of a bundle as it is now, and what was found of them before."""
        look = look_at(root, before.files if before else {})
        return cls(look.files, look.unchanged) if look else cls(None)

    def describe(self, path: Path, name: str) -> SealedFile:
        """A file as a manifest describes it: from the last analysis where it is the same, else read."""
        seen = (self.files or {}).get(name)
        known = seen.described(name) if seen else None
        if known or not seen or self.files is None:
            return known or describe_file(path, name)
        described = describe_file(path, name)
        if seen.sha256 in {None, described.sha256}:
            update = {"sha256": described.sha256, "rows": described.rows}
            self.files[name] = seen.model_copy(update=update)
        return described

    def summaries(self, root: Path) -> Summaries | None:
        """What is kept of the evidence; None where files cannot be told."""
        return None if self.files is None else Summaries(root / FOLDER / SUMMARIES, program_digest(), self.files)

    def unread_bytes(self) -> int:
        """Bytes of the files that have to be read to compare them with a seal; 0 where there is none."""
        files = self.files or {}
        if MANIFEST not in files:
            return 0
        return sum(file.identity.bytes for name, file in files.items() if not file.described(name))


def recall(root: Path) -> Remembered | None:
    """The last analysis of a bundle; None where none is remembered, or not one of this program."""
    try:
        found = Remembered.model_validate_json((root / FOLDER / INPUTS).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.program == program_digest() else None


def is_current(root: Path, remembered: Remembered, engine: str) -> bool:
    """Whether a new analysis with this engine would read the same inputs and write the same results."""
    present = present_files(root)
    if (
        present is None
        or remembered.engine != engine
        or remembered.files.keys() != present.keys()
        or remembered.results != result_digests(root)
    ):
        return False
    look = look_at(root, remembered.files)
    if look is None or look.unchanged != present.keys():
        return False
    if look.files != remembered.files:  # what had just changed then is settled now: it need not be read again
        _write(root, remembered.model_copy(update={"files": look.files}))
    return True


def remember(root: Path, engine: str, inputs: Inputs) -> None:
    """Note an analysis whose results stand.

    Nothing is remembered where an input has changed since it began, or cannot be told; an older note is forgotten then.
    """
    results = result_digests(root)
    if inputs.files is None or results is None or not is_still(root, inputs.files):
        forget(root)
        return
    _write(root, _note(engine, inputs.files, results))


def remember_sealed(root: Path, manifest: Manifest) -> Inputs:
    """Note the evidence of a bundle that was just sealed, which found it in order. Raises OSError.

    A file has just changed then: it is known again where its bytes are those that the manifest says.
    """
    files = {
        file.path: SeenFile(
            identity=identity_of(root / file.path), is_settled=False, sha256=file.sha256, rows=file.rows
        )
        for file in manifest.files
    }
    _write(root, _note(NOBODY, files, {}))
    return Inputs(files)


def forget(root: Path) -> None:
    """Let the next analysis check everything."""
    with suppress(OSError):
        (root / FOLDER / INPUTS).unlink(missing_ok=True)


def forget_summaries(root: Path) -> None:
    """Let the next analysis read everything."""
    shutil.rmtree(root / FOLDER / SUMMARIES, ignore_errors=True)


def result_digests(root: Path) -> dict[str, str] | None:
    """SHA-256 of every file that an analysis writes, by name; None where one is missing."""
    try:
        return {name: sha256_of(root / RESULTS / name) for name in _RESULT_FILES}
    except OSError:
        return None


@cache
def program_digest() -> str:
    """SHA-256 of everything that computes answers: our own source, the queries, and versions of what runs them."""
    digest = sha256(__version__.encode())
    queries = (path for folder in _QUERIES for path in sorted(folder.glob("*.sql")))
    for path in (*sorted(_PACKAGE.rglob("*.py")), *queries):
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"\n{library} {_version(library)}".encode())
    return digest.hexdigest()


def _note(engine: str, files: dict[str, SeenFile], results: dict[str, str]) -> Remembered:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Remembered(program=program_digest(), engine=engine, analyzed_at=now, files=files, results=results)


def _write(root: Path, note: Remembered) -> None:
    with suppress(OSError):  # results stand; the next analysis only reads more than it would need to
        _write_whole(root / FOLDER / INPUTS, note.model_dump_json(indent=1).encode() + b"\n")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "unknown"


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
