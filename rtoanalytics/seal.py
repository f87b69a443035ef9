"""Seal a bundle, so that a change of one byte shows; verify that none did.

Sealing an unaltered bundle again does nothing. Sealing one that differs from its manifest is refused, because it would
make the change look original; `reseal=True` says that the change is meant.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from rtoanalytics.bundle import check_values
from rtoanalytics.bundle.compaction import compact_table
from rtoanalytics.bundle.extras import extra_columns
from rtoanalytics.bundle.files import DRILL, EVIDENCE, MANIFEST
from rtoanalytics.bundle.manifest import (
    Manifest,
    describe_file,
    make_manifest,
    manifest_problems,
    read_manifest,
)
from rtoanalytics.bundle.opening import bundle_folder, read_bundle
from rtoanalytics.bundle.swap import begin, commit, drop, exclusive, finish_interrupted, roll_forward
from rtoanalytics.engines.interruption import interruptible
from rtoanalytics.errors import EvidenceError, Problem, SealError
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtoanalytics.bundle import Bundle
    from rtoanalytics.bundle.manifest import Describe
    from rtoanalytics.engines.interruption import Interruption

_MEMORY_LIMIT = "1500MB"  # of the engine; the process takes about 0.4 GB more
_TEMPORARY = "temporary"


class SealStatus(StrEnum):
    """Whether a bundle is what it was when it was sealed."""

    UNSEALED = "unsealed"
    SEALED = "sealed"
    ALTERED = "altered"


@dataclass(frozen=True)
class SealedState:
    """What a bundle's manifest and its files say about each other."""

    status: SealStatus
    manifest: Manifest | None = None
    problems: tuple[Problem, ...] = ()
    """How files differ from the manifest; empty unless altered."""


def seal_bundle(root: Path, *, reseal: bool = False) -> Manifest:
    """Sort and compact the evidence of a bundle, write manifest.json, and return it.

    Raises DrillError or EvidenceError when the bundle is not in order, SealError when it was altered since it was
    sealed (unless `reseal`) or when the system fails. In every case, and when the process is killed at any moment, the
    bundle is either as it was before or sealed; the next `open_bundle` finishes what was left half done. A
    KeyboardInterrupt ends it within moments.
    """
    root = bundle_folder(root)

    def work(interruption: Interruption) -> Manifest:
        with _system_failures(root), exclusive(root):
            roll_forward(root)
            state = _state(root)
            if state.status is SealStatus.SEALED and state.manifest:
                return state.manifest
            if state.status is SealStatus.ALTERED and not reseal:
                raise SealError([_REFUSED, *state.problems])
            return _seal(root, interruption)

    return interruptible(work)


def verify_bundle(root: Path) -> list[Problem]:
    """How a bundle differs from what was sealed; nothing when it does not differ."""
    state = sealed_state(root)
    if state.status is SealStatus.UNSEALED:
        return [Problem(MANIFEST, "missing", "the bundle was never sealed; rto seal writes it")]
    return list(state.problems)


def sealed_state(root: Path, describe: Describe = describe_file) -> SealedState:
    """Whether a bundle is unsealed, sealed, or altered since, and how. Reads every byte of it.

    `describe` tells what a file is now; one that knows better than to read it again may be given.
    """
    root = bundle_folder(root)
    finish_interrupted(root)
    return _state(root, describe)


_REFUSED = Problem(
    MANIFEST,
    "does not describe this bundle any more",
    "put back what was sealed, or seal with reseal to say that the changes are meant",
)


def _state(root: Path, describe: Describe = describe_file) -> SealedState:
    manifest, problems = read_manifest(root)
    if manifest:
        problems = manifest_problems(root, manifest, describe)
    if problems:
        return SealedState(SealStatus.ALTERED, manifest, tuple(problems))
    return SealedState(SealStatus.SEALED, manifest) if manifest else SealedState(SealStatus.UNSEALED)


def _seal(root: Path, interruption: Interruption) -> Manifest:
    # What is going to be replaced is noted before it is read: whatever arrives later is seen to be new and kept.
    building = begin(root)
    try:
        bundle = read_bundle(root)
        _compact(bundle, building, interruption)
        manifest = _describe(bundle, building)
        _write_durably(building / MANIFEST, manifest.to_bytes())
        interruption.check()
        commit(root)
    finally:
        drop(root)
    return manifest


def _compact(bundle: Bundle, building: Path, interruption: Interruption) -> None:
    temporary = building / _TEMPORARY
    with (
        duckdb.connect(config={"memory_limit": _MEMORY_LIMIT, "temp_directory": str(temporary)}) as connection,
        interruption.ends(connection),
    ):
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        problems = check_values(connection, bundle)
        for name, files in bundle.files.items():
            problems += extra_columns(TABLES[name], files)[1]
        if problems:
            raise EvidenceError(problems)
        for name, files in bundle.files.items():
            interruption.check()
            compact_table(connection, TABLES[name], files, building / EVIDENCE / name)
    shutil.rmtree(temporary, ignore_errors=True)


def _describe(bundle: Bundle, building: Path) -> Manifest:
    """The manifest of the bundle as it is going to be: new evidence beside the files that stay."""
    kept = {name: bundle.root / name for name in (DRILL, *bundle.attachments)}
    built = {path.relative_to(building).as_posix(): path for path in (building / EVIDENCE).rglob("*.parquet")}
    return make_manifest(bundle.drill.id, (describe_file(path, name) for name, path in {**kept, **built}.items()))


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _system_failures(root: Path) -> Iterator[None]:
    """A full disk, missing permissions or too little memory, as a refusal that says so."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or root)
        raise SealError([Problem(where, error.strerror or str(error), _TRY_AGAIN)]) from error
    except (duckdb.Error, pa.ArrowException) as error:
        raise SealError([Problem(str(root), str(error).splitlines()[0], _TRY_AGAIN)]) from error


_TRY_AGAIN = "nothing is lost; put that right and seal again"
