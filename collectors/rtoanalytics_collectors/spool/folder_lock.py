"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from rtoanalytics.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


class SpoolInUseError(UsageError):
    """Another process writes this spool."""


class FolderLock:
    """An exclusive lock on a collector's folder; the kernel releases it when the process dies."""

    def __init__(self, folder: Path) -> None:
        """Create and lock `folder`. Raises SpoolInUseError when another process holds it."""
        descriptor = _locked_descriptor(folder)
        if descriptor is None:
            msg = f"{folder}: another process is writing this spool; stop it, or use another collector name"
            raise SpoolInUseError(msg)
        self._folder = folder
        self._descriptor = descriptor

    @classmethod
    def try_acquire(cls, folder: Path) -> FolderLock | None:
        """The lock on `folder`, or None when another process holds it."""
        try:
            return cls(folder)
        except SpoolInUseError:
            return None

    def release(self) -> None:
        """Remove the folder when it is empty, its parent too, and let others in."""
        with contextlib.suppress(OSError):
            self._folder.rmdir()
            self._folder.parent.rmdir()
        os.close(self._descriptor)

    close = release


def _locked_descriptor(folder: Path) -> int | None:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # the last holder has just removed it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        if _is_still(folder, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still(folder: Path, descriptor: int) -> bool:
    """Whether the locked folder is the one that stands at this path: its last holder may have removed it."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
