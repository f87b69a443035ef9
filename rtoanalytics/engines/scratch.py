"""A folder for what does not fit into memory: gone when the work ends, and when its process was killed, at the next."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "rtoanalytics-"
_OWNER = "owner"
"""A file in each folder that its process holds locked: the operating system ends that with the process."""


@contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[str]:
    """An empty folder below `place` (default: the system's temporary folder), removed when the block ends.

    What processes that were killed have left there is removed too.
    """
    _remove_abandoned(Path(place or tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True) as folder:
        descriptor = _held(Path(folder))
        try:
            yield folder
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _held(folder: Path) -> int | None:
    """Lock a new folder. The lock gets its name only when it is held, so that nobody takes the folder for abandoned."""
    if sys.platform == "win32":
        return None
    unnamed = folder / f".{_OWNER}"
    descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(OSError):  # a file system without locks: the folder stays when its process is killed
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(folder / _OWNER)
    return descriptor


def _remove_abandoned(place: Path) -> None:
    if sys.platform == "win32":
        return
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder / _OWNER, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
