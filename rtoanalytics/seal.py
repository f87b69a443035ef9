"""Seal a bundle, so that a change of one byte shows; verify that none did.

Sealing an unaltered bundle again does nothing. Sealing one that differs from its manifest is refused, because it would
make the change look original; `reseal=True` says that the change is meant.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
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
from rtoanalytics.engines.limits import MORE_WANTED, NO_ROOM, ROOM_WANTED, TOO_LITTLE, Limits, set_limit
from rtoanalytics.engines.scratch import scratch_folder
from rtoanalytics.engines.seal_progress import SealSteps
from rtoanalytics.errors import EvidenceError, Problem, SealError
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rtoanalytics.bundle import Bundle
    from rtoanalytics.bundle.manifest import Describe
    from rtoanalytics.engines.interruption import Interruption
    from rtoanalytics.engines.progress import Step

_MEMORY_LIMIT = "1500MB"  # of the engine; the process takes about 0.4 GB more


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


def seal_bundle(
    root: Path,
    *,
    reseal: bool = False,
    limits: Limits | None = None,
    watch: Callable[[Step], None] | None = None,
) -> Manifest:
    """Sort and compact the evidence of a bundle, write manifest.json, and return it.

    What does not fit into memory is put aside in `limits.scratch`, by default inside the bundle's folder. `watch` is
    told each step when it begins, in another thread.

    Raises DrillError or EvidenceError when the bundle is not in order, SealError when it was altered since it was
    sealed (unless `reseal`), when memory or temporary disk do not suffice, or when the system fails; QueryError when a
    limit is none. In every case, and when the process is killed at any moment, the
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
            return _Sealing(root, limits or Limits(), watch, interruption).manifest()

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


@dataclass(frozen=True)
class _Sealing:
    """Sealing one bundle: what it may take, who watches it and who may end it."""

    root: Path
    limits: Limits
    watch: Callable[[Step], None] | None
    interruption: Interruption

    def manifest(self) -> Manifest:
        """Seal the bundle. It is finished when this returns."""
        # What is going to be replaced is noted before it is read: whatever arrives later is seen to be new and kept.
        building = begin(self.root)
        try:
            bundle = read_bundle(self.root)
            steps = SealSteps(self.watch, bundle)
            with self._engine(building) as connection, steps.follow(connection):
                _compact(connection, bundle, building / EVIDENCE, steps, self.interruption)
            steps.record()
            manifest = _describe(bundle, building)
            _write_durably(building / MANIFEST, manifest.to_bytes())
            self.interruption.check()
            commit(self.root)
        finally:
            drop(self.root)
        return manifest

    @contextmanager
    def _engine(self, building: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection held to the limits. What it puts aside is gone when the block ends."""
        with (
            scratch_folder(self.limits.scratch or building) as scratch,
            duckdb.connect(config={"temp_directory": scratch}) as connection,
            self.interruption.ends(connection),
        ):
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            set_limit(connection, "memory_limit", self.limits.memory_limit or _MEMORY_LIMIT)
            set_limit(connection, "max_temp_directory_size", self.limits.scratch_limit)
            yield connection


def _compact(
    connection: duckdb.DuckDBPyConnection, bundle: Bundle, evidence: Path, steps: SealSteps, interruption: Interruption
) -> None:
    steps.check()
    problems = check_values(connection, bundle)
    for name, files in bundle.files.items():
        problems += extra_columns(TABLES[name], files)[1]
    if problems:
        raise EvidenceError(problems)
    for name, files in bundle.files.items():
        interruption.check()
        steps.read(name)
        compact_table(connection, TABLES[name], files, evidence / name, partial(steps.compact, name))


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
        raise SealError([_engine_problem(root, error)]) from error


def _engine_problem(root: Path, error: Exception) -> Problem:
    # Rows come through Arrow, and so do failures of DuckDB that happen on the way: as text, its lines run together.
    found = str(error).replace("\\n", "\n").splitlines()[0]
    if found.startswith("Out of Memory Error"):
        return Problem(str(root), f"{TOO_LITTLE} ({found})", f"nothing is lost; {MORE_WANTED}")
    if found.startswith("IO Error"):
        return Problem(str(root), f"{NO_ROOM} ({found})", f"nothing is lost; {ROOM_WANTED}")
    return Problem(str(root), found, _TRY_AGAIN)


_TRY_AGAIN = "nothing is lost; put that right and seal again"
