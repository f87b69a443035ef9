"""What a spool may be called, and the table that it is of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rtoanalytics.errors import DefectError, UsageError
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from rtoanalytics.schemas import Table

_COLLECTOR = re.compile(r"[a-z0-9][a-z0-9._-]*")


def table_named(name: str) -> Table:
    """The evidence table of that name. Raises DefectError for another."""
    if name not in TABLES:
        msg = f'no evidence table is named "{name}"; allowed: {", ".join(TABLES)}'
        raise DefectError(msg)
    return TABLES[name]


def collector_named(name: str) -> str:
    """A collector's name as it is. Raises UsageError for one that could not be part of a file's name anywhere."""
    if not _COLLECTOR.fullmatch(name):
        msg = f'"{name}" cannot name a spool; use lower-case letters, digits, ".", "_" and "-"'
        raise UsageError(msg)
    return name
