"""Which files of a bundle are still what they were when they were last looked at.

A file is the same as long as its size, its times of last change (mtime and ctime) and its inode are: every ordinary
way of changing a file changes its ctime, which no program can set back. Times have a resolution, so of a file that
changed within `UNSETTLED_NS` before it was looked at the content is kept too, as a SHA-256, and compared. What this
cannot see: damage below the file system (a failing disk), which is what `rto verify` is for, and clocks of file servers
that run behind by more than `UNSETTLED_NS`. A copy of a bundle has other inodes: everything in it is looked at anew.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from rtoanalytics.bundle.files import EVIDENCE, MANIFEST
from rtoanalytics.bundle.manifest import SealedFile, sealable_files, sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNSETTLED_NS = 2_000_000_000
"""How long ago a file must have changed for its times alone to tell it from a later one: the coarsest resolution."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileIdentity(_Facts):
    """What the file system says about a file, at one moment."""

    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class SeenFile(_Facts):
    """One file as it was when it was looked at."""

    identity: FileIdentity
    is_settled: bool
    """Whether the identity alone tells a later change; otherwise the content is compared too."""
    sha256: str | None = None
    """Of the content, where that was read."""
    rows: int | None = None
    """Of an evidence file that was described for a manifest."""

    def described(self, name: str) -> SealedFile | None:
        """The file as a manifest describes it, where all of that is known."""
        if name == MANIFEST or self.sha256 is None or (self.rows is None and name.startswith(f"{EVIDENCE}/")):
            return None
        return SealedFile(path=name, bytes=self.identity.bytes, rows=self.rows, sha256=self.sha256)


@dataclass(frozen=True)
class Look:
    """The files of a bundle as they were at one moment."""

    files: dict[str, SeenFile]
    """By name in the bundle."""
    unchanged: frozenset[str]
    """Names of those that were seen before and are the same."""


def identity_of(path: Path) -> FileIdentity:
    """The identity of a file, of the one it leads to where it is a link. Raises OSError."""
    status = path.stat()
    return FileIdentity(
        bytes=status.st_size, mtime_ns=status.st_mtime_ns, ctime_ns=status.st_ctime_ns, inode=status.st_ino
    )


def present_files(root: Path) -> dict[str, Path] | None:
    """Every file that answers are made from, by its name in the bundle; None where a listing finds something wrong.

    They are drill.yaml, manifest.json, the evidence and the attachments.
    """
    files, problems = sealable_files(root)
    if (root / MANIFEST).is_file():
        files[MANIFEST] = root / MANIFEST
    return None if problems else files


def look_at(root: Path, before: Mapping[str, SeenFile]) -> Look | None:
    """Every file that answers are made from, as it is now; None where one cannot be looked at.

    `before` is how they were seen earlier. Reads files that are not settled.
    """
    files = present_files(root)
    if files is None:
        return None
    try:
        seen = {name: _look(path, before.get(name)) for name, path in files.items()}
    except OSError:
        return None
    return Look({name: file for name, (file, _) in seen.items()}, frozenset(name for name in seen if seen[name][1]))


def is_same(path: Path, now: SeenFile, before: SeenFile) -> bool:
    """Whether a file is what it was when it was seen before. Raises OSError.

    Its content is read where its times do not tell and it was not read when it was seen now.
    """
    if now.identity != before.identity:
        return False
    return before.is_settled or (now.sha256 or sha256_of(path)) == before.sha256


def is_still(root: Path, seen: Mapping[str, SeenFile]) -> bool:
    """Whether the files of a bundle are exactly those that were seen, by their identities alone."""
    files = present_files(root)
    if files is None or files.keys() != seen.keys():
        return False
    try:
        return all(identity_of(path) == seen[name].identity for name, path in files.items())
    except OSError:
        return False


def _look(path: Path, before: SeenFile | None) -> tuple[SeenFile, bool]:
    """The file as it is now, and whether it is as it was before."""
    now_ns = time.time_ns()
    identity = identity_of(path)
    is_settled = max(identity.mtime_ns, identity.ctime_ns) < now_ns - UNSETTLED_NS
    if before and is_same(path, SeenFile(identity=identity, is_settled=is_settled), before):
        return before.model_copy(update={"is_settled": is_settled}), True
    return SeenFile(identity=identity, is_settled=is_settled, sha256=None if is_settled else sha256_of(path)), False
