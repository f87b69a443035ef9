"""What an engine may take of the machine, checked before any work starts."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from rtoanalytics.bundle.files import MANIFEST
from rtoanalytics.errors import QueryError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.bundle import Bundle

TOO_LITTLE = "not enough memory or temporary disk"
MORE_WANTED = "raise --memory-limit or --scratch-limit, or name a --scratch folder with more room"
"""What was found where limits do not suffice, and what to do then."""
NO_ROOM = "reading or putting aside failed"
ROOM_WANTED = "make room on the disk of the scratch folder (--scratch names another), and see that evidence stays"
"""The same where the disk does not do what it should."""

_LARGE = ("acks", "applied")
_LEAST_BYTES = 900_000_000
# A row of the large tables: sealed, in the order of capture, and where records are told by their identities.
_SORTED_BYTES, _UNSORTED_BYTES, _IDENTITY_BYTES = 5, 7, 25

_SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>%|[KMGT]i?B)", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """Memory and temporary disk. None means the engine's own limit."""

    memory_limit: str | None = None
    """Memory, as DuckDB writes sizes ("4GB", "512MiB", "50%"); beyond it, rows are put aside on disk.

    Default: what `usual_memory` says, and never more than the engine's own limit (80 % of what the machine has)."""
    scratch: Path | None = None
    """The folder to put them into; default: the system's temporary folder."""
    scratch_limit: str | None = None
    """Disk they may take there ("100GB")."""

    def check(self) -> None:
        """Raise UsageError where a size is none or the folder cannot be written to."""
        _check_size("--memory-limit", self.memory_limit, is_share_allowed=True)
        _check_size("--scratch-limit", self.scratch_limit)
        if self.scratch is not None:
            _check_folder(self.scratch)


def set_limit(connection: duckdb.DuckDBPyConnection, setting: str, size: str | None) -> None:
    """Hold DuckDB to a size, as it takes them, or leave it its own; QueryError where it does not take this one."""
    if size is None:
        return
    try:
        connection.execute(f"set {setting} = ?", [size])
    except duckdb.Error as error:
        msg = f'{setting} "{size}": {str(error).splitlines()[0]}; write for instance 4GB'
        raise QueryError(msg) from None


def usual_memory(bundle: Bundle) -> int:
    """Bytes with which an analysis is about as fast as with all the memory there is; the process takes up to half more.

    Measured at 100 million records: with less the engine puts more aside on disk, with more it is hardly faster.
    """
    rows = sum(bundle.rows(table) for table in _LARGE)
    is_by_identity = any(downstream.match == "record_id" for downstream in bundle.drill.flow.downstreams)
    by_order = _SORTED_BYTES if (bundle.root / MANIFEST).exists() else _UNSORTED_BYTES
    return max(_LEAST_BYTES, rows * (_IDENTITY_BYTES if is_by_identity else by_order))


def _check_size(option: str, size: str | None, *, is_share_allowed: bool = False) -> None:
    if size is None:
        return
    match = _SIZE.fullmatch(size.strip())
    if not match or float(match["number"]) <= 0 or (match["unit"] == "%" and not is_share_allowed):
        allowed = "a number and KB, MB, GB, TB, KiB, MiB, GiB or TiB" + (
            ", or a % of memory" if is_share_allowed else ""
        )
        msg = f'{option} "{size}" is no size; write {allowed}, for instance 4GB'
        raise UsageError(msg)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        found = "not a folder" if folder.exists() else "no such folder"
        msg = f"--scratch {folder}: {found}; name a folder with room for what does not fit into memory"
        raise UsageError(msg)
    try:
        with tempfile.TemporaryDirectory(prefix="rtoanalytics-", dir=folder):
            pass
    except OSError as error:
        msg = f"--scratch {folder}: cannot be written to ({error.strerror}); name another folder"
        raise UsageError(msg) from None
