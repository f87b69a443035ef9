"""M11: over which tables may a measure say pass?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.wording import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

STALE_SECONDS_WITHOUT_HEARTBEATS = 30.0
"""How old a sample may be where no collector says its interval."""
_OF_CLIENTS = "client_stats"
"""Clients come and go in a drill: this table is captured as long as one of them reports, each by itself."""


@dataclass(frozen=True)
class TableCoverage:
    """How one evidence table was captured, over all its collectors."""

    table_name: str
    rows: int = 0
    has_heartbeats: bool = False
    holes: int = 0
    longest_hole_seconds: float = 0.0
    is_complete: bool = False
    interval_seconds: float | None = None
    is_before_clock: bool = False
    is_after_restored: bool = False

    @property
    def was_captured(self) -> bool:
        """Whether rows, or heartbeats without rows, show that somebody looked."""
        return self.rows > 0 or self.has_heartbeats

    @property
    def stale_seconds(self) -> float:
        """How old a sample of this table may be: three intervals, or 30 s where no collector says its interval."""
        return 3 * self.interval_seconds if self.interval_seconds else STALE_SECONDS_WITHOUT_HEARTBEATS

    def doubt(self) -> str | None:
        """Why no measure over this table may say pass; None if nothing speaks against it."""
        if not self.was_captured:
            return f"no {self.table_name} were captured"
        if self.holes:
            holes = f"{counted(self.holes, 'hole')}, the longest of {seconds(self.longest_hole_seconds)}"
            return f"the capture of {self.table_name} has {holes}"
        return None

    def doubt_at_end(self) -> str | None:
        """Why no measure of how the drill ended may say pass; a hole that was closed again does not matter to it."""
        if not self.was_captured:
            return f"no {self.table_name} were captured"
        if self.has_heartbeats and not self.is_after_restored:
            return f"the capture of {self.table_name} ended before the service had held"
        return None


def table_coverage(rows: Iterable[dict[str, Any]]) -> dict[str, TableCoverage]:
    """Coverage by table, from rows of the relation `coverage`: complete only if every collector of the table is."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_table.setdefault(row["table_name"], []).append(row)
    return {name: _merged(name, of_table) for name, of_table in sorted(by_table.items())}


def _merged(name: str, rows: list[dict[str, Any]]) -> TableCoverage:
    lasts = any if name == _OF_CLIENTS else all
    intervals = [row["interval_seconds"] for row in rows if row["interval_seconds"] is not None]
    return TableCoverage(
        table_name=name,
        rows=max(row["row_count"] for row in rows),
        has_heartbeats=any(row["heartbeats"] for row in rows),
        holes=sum(row["holes"] for row in rows),
        longest_hole_seconds=max(row["longest_hole_seconds"] for row in rows),
        is_complete=all(row["is_complete"] for row in rows),
        interval_seconds=max(intervals, default=None),
        is_before_clock=all(row["is_before_clock"] for row in rows),
        is_after_restored=lasts(row["is_after_restored"] for row in rows),
    )
