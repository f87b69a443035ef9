"""Put a folder in another's place so that a process killed at any moment leaves the old one or the new one, whole.

Where the operating system and the file system can exchange two names in one step, that is done. Elsewhere there is a
moment when the old folder stands aside (`.<name>.old`) and the new one is not there yet: `repair` ends it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HERE = -100  # AT_FDCWD: paths are relative to the working folder
_EXCHANGES = {"linux": ("renameat2", 2), "darwin": ("renamex_np", 2)}
"""The call that exchanges two names, and the option that asks it to (RENAME_EXCHANGE, RENAME_SWAP)."""


def replace_folder(built: Path, target: Path) -> None:
    """Let the folder `built` stand at `target`, and remove what stood there. Both are in one folder.

    Raises OSError, with `target` as it was, when that cannot be done.
    """
    if not os.path.lexists(target):
        os.rename(built, target)  # noqa: PTH104  (as `os` calls, all steps can be made to fail by a test)
        return
    if target.is_symlink() or not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    if exchange(built, target):
        shutil.rmtree(built, ignore_errors=True)
        return
    aside = _aside(target)
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(target, aside)  # noqa: PTH104
    try:
        os.rename(built, target)  # noqa: PTH104
    except OSError:
        os.rename(aside, target)  # noqa: PTH104
        raise
    shutil.rmtree(aside, ignore_errors=True)


def repair(target: Path) -> None:
    """End a replacement that was interrupted: what stood at `target` is put back, or removed where the new one stands.

    To be called where no other process replaces the same folder. Raises OSError.
    """
    aside = _aside(target)
    if not os.path.lexists(aside):
        return
    if os.path.lexists(target):
        shutil.rmtree(aside)
    else:
        os.rename(aside, target)  # noqa: PTH104


def is_interrupted(target: Path) -> bool:
    """Whether `repair` has something to do."""
    return os.path.lexists(_aside(target))


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False, with nothing changed, where the system or the file system cannot."""
    name, options = _EXCHANGES.get(sys.platform, ("", 0))
    with suppress(AttributeError, OSError):  # a C library without the function
        swap = getattr(ctypes.CDLL(None), name or "none")
        if name == "renameat2":
            return bool(swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), options) == 0)
        if name == "renamex_np":
            return bool(swap(os.fsencode(one), os.fsencode(other), options) == 0)
    return False


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")
