"""M3: does every acknowledged record and every applied row have its place in the books?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import DefectError

if TYPE_CHECKING:
    from collections.abc import Iterable

FATES = ("once", "duplicated", "lost", "skipped", "pending", "filtered", "unresolved")
"""Every acknowledged record has exactly one of these in each downstream."""

COUNTS = (
    "acked",
    *FATES,
    "applied",
    "distinct_applied",
    "extra",
    "unacked",
    "before_capture",
    "log_missing",
    "overwritten",
    "reordered",
    "produced_twice",
)
"""The counting columns of the ledger, in the order of the scorecard. Unit: records or applied rows."""

KEYS = ("downstream", "group_id", "cluster", "topic", "partition")


def check_balance(rows: Iterable[dict[str, Any]]) -> None:
    """Raise DefectError unless both equations hold on every row.

    1. acked = once + duplicated + lost + skipped + pending + filtered + unresolved
    2. applied = distinct_applied + extra + unacked

    What it does not prove: that the evidence is complete. A balanced ledger over a capture with holes balances the
    captured part.

    >>> check_balance([dict.fromkeys(COUNTS, 0)])
    """
    for row in rows:
        fates = sum(row[fate] for fate in FATES)
        if row["acked"] != fates:
            raise DefectError(_unbalanced(row, "acked", row["acked"], fates))
        parts = row["distinct_applied"] + row["extra"] + row["unacked"]
        if row["applied"] != parts:
            raise DefectError(_unbalanced(row, "applied", row["applied"], parts))


def ledger_totals(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """The sum of every counting column over all downstreams and partitions."""
    totals = dict.fromkeys(COUNTS, 0)
    for row in rows:
        for name in COUNTS:
            totals[name] += row[name]
    return totals


def _unbalanced(row: dict[str, Any], name: str, total: int, parts: int) -> str:
    place = ", ".join(f"{key} {row.get(key)}" for key in KEYS)
    return f"the ledger does not balance at {place}: {name} is {total}, its parts sum to {parts}; please report it"
