"""Exchange the evidence of a bundle for its sealed form so that a crash leaves the one or the other, never a mixture.

    .sealing/   being built; worth nothing until it is complete
    .sealed/    complete: renaming .sealing to .sealed is the commit. What follows can be repeated until it is done:
                evidence/ moves into .sealed, the sealed evidence and manifest.json take their places, .sealed goes.

Files in evidence/ that were not sealed (hidden ones, or what arrived meanwhile) are moved into the new evidence/.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.bundle.files import EVIDENCE, MANIFEST, is_ignored
from rtoanalytics.errors import Problem, SealError

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

SEALING = ".sealing"
SEALED = ".sealed"
_REPLACES = "replaces.json"
_REPLACED = "replaced-"

Snapshot = set[tuple[str, int, int]]
"""Relative path, size and time of last change (ns) of files."""


@contextmanager
def exclusive(root: Path, *, is_waiting: bool = False) -> Iterator[None]:
    """Hold the bundle against other processes that seal it; SealError when one does and `is_waiting` is false.

    The operating system ends the hold with the process, however that ends.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(root, os.O_RDONLY)
    try:
        _lock(descriptor, 0 if is_waiting else fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, flags: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
    except BlockingIOError:
        raise SealError([Problem(SEALING, "another process is sealing this bundle", "wait until it is done")]) from None


def finish_interrupted(root: Path) -> None:
    """Bring a seal that was interrupted to its end: carried through when it was committed, otherwise dropped.

    A seal that another process is building is left alone: until it commits, the bundle is as it was.
    """
    if (root / SEALED).exists():
        _finish_committed(root)
    elif (root / SEALING).exists():
        _drop_abandoned(root)


def begin(root: Path) -> Path:
    """An empty folder to build the sealed form in. It remembers which files of evidence/ it is going to replace."""
    drop(root)
    building = root / SEALING
    (building / EVIDENCE).mkdir(parents=True)
    (building / _REPLACES).write_text(json.dumps(sorted(snapshot(root / EVIDENCE))))
    return building


def commit(root: Path) -> None:
    """Make what was built the bundle's evidence. SealError when evidence/ has changed since `begin`."""
    building = root / SEALING
    if snapshot(root / EVIDENCE) != _read_snapshot(building):
        raise SealError(
            [Problem(EVIDENCE, "changed while it was being sealed", "seal again when the capture has ended")]
        )
    for folder in [building, *(path for path in building.rglob("*") if path.is_dir())]:
        sync_folder(folder)
    sync_file(building / _REPLACES)
    os.rename(building, root / SEALED)  # noqa: PTH104  (as `os` calls, all steps can be made to fail by a test)
    sync_folder(root)
    roll_forward(root)


def roll_forward(root: Path) -> None:
    """Carry a committed seal through. Safe to repeat after an interruption at any point."""
    sealed = root / SEALED
    if not sealed.exists():
        return
    if (sealed / EVIDENCE).exists():
        _set_aside(root, sealed)
        os.rename(sealed / EVIDENCE, root / EVIDENCE)  # noqa: PTH104
    if (sealed / MANIFEST).exists():
        os.replace(sealed / MANIFEST, root / MANIFEST)  # noqa: PTH105
    sync_folder(root)
    for replaced in sorted(sealed.glob(f"{_REPLACED}*")):
        _keep_what_was_not_sealed(root, replaced, _read_snapshot(sealed))
    _remove(sealed)


def drop(root: Path) -> None:
    """Forget a seal that was not committed."""
    if (root / SEALING).exists():
        shutil.rmtree(root / SEALING)


def snapshot(evidence: Path) -> Snapshot:
    """Which files stand below a folder, without those that are ignored when evidence is read."""
    return {_stamp(evidence, path) for path in _leaves(evidence) if not _is_ignored_below(evidence, path)}


def sync_file(path: Path) -> None:
    """Have the operating system write a file to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the operating system write a folder's entries to the disk."""
    if sys.platform == "win32":  # it cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finish_committed(root: Path) -> None:
    try:
        with exclusive(root, is_waiting=True):
            roll_forward(root)
    except OSError as error:
        found = f"a seal that was interrupted and cannot be finished ({error.strerror or error})"
        allowed = "nothing is lost; open the bundle once with permission and room to write"
        raise SealError([Problem(SEALED, found, allowed)]) from error


def _drop_abandoned(root: Path) -> None:
    try:
        with exclusive(root):
            drop(root)
    except (SealError, OSError):
        return  # still being built, or a bundle that may only be read: its evidence is whole either way


def _set_aside(root: Path, sealed: Path) -> None:
    """Move evidence/ out of the way. An earlier attempt may have done so already, and a capture made a new one."""
    if not os.path.lexists(root / EVIDENCE):
        return
    number = sum(1 for _ in sealed.glob(f"{_REPLACED}*"))
    os.rename(root / EVIDENCE, sealed / f"{_REPLACED}{number}")  # noqa: PTH104


def _keep_what_was_not_sealed(root: Path, replaced: Path, sealed_files: Snapshot) -> None:
    if replaced.is_symlink():
        os.unlink(replaced)  # noqa: PTH108
        return
    for path in _leaves(replaced):
        if _stamp(replaced, path) in sealed_files:
            os.unlink(path)  # noqa: PTH108
        else:
            os.rename(path, _free_name(root / EVIDENCE / path.relative_to(replaced)))  # noqa: PTH104
    sync_folder(root / EVIDENCE)


def _remove(sealed: Path) -> None:
    """Remove what is left of a seal. The list of replaced files goes last: without it nothing would be removed."""
    for replaced in sealed.glob(f"{_REPLACED}*"):
        shutil.rmtree(replaced)
    shutil.rmtree(sealed)


def _read_snapshot(building: Path) -> Snapshot:
    try:
        content = (building / _REPLACES).read_text()
    except FileNotFoundError:
        return set()
    return {(path, size, changed) for path, size, changed in json.loads(content)}


def _leaves(folder: Path) -> list[Path]:
    """Everything below a folder that is not a folder, links to folders included."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _stamp(folder: Path, path: Path) -> tuple[str, int, int]:
    status = path.lstat()
    return (path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns)


def _is_ignored_below(folder: Path, path: Path) -> bool:
    return any(is_ignored(Path(part)) for part in path.relative_to(folder).parts)


def _free_name(path: Path) -> Path:
    """The path, or one like it that nothing stands at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    free = path
    while os.path.lexists(free):
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free
