"""What every engine does with the chain: which relations stand, which are computed anew, how long each is kept.

An engine runs the texts of queries/ as they are. This module says what is not in those texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics.queries import Query

MAX_STEPS = 5_000_000
"""Most steps the grid of M7 may have: 57 days of seconds. More means an instant that does not belong to the drill."""

UNMERGED = frozenset({"acks", "log_records", "applied", "metrics"})
"""Large tables that stand as captured, rows captured twice included: the queries that read them count each once."""

VIEWS = frozenset(
    {
        "acked_log_states",
        "acked_records",
        "applications",
        "applied_effects",
        "fates",
        "placed_effects",
        "produces",
        "record_log_states",
        "records",
        "scanned_records",
    }
)
"""As long as the evidence, and cheap to compute again from the narrow tables below. Everything else becomes a table."""

LONG = frozenset({"acked_places", "identified_records", "identity_log_states", "record_effects", "record_fates"})
"""Tables that may have a row for every record."""


@dataclass(frozen=True)
class Progress:
    """Where a run of the chain stands, as it is told before each query and once after the last."""

    query: str
    """The query about to run; empty after the last."""
    done: int
    """Queries that ran."""
    total: int
    """Queries to run, including those whose relations stood already."""


def last_readers(order: Sequence[Query]) -> dict[str, list[str]]:
    """By query: the long tables that no query after it reads, itself or through views."""
    through: dict[str, set[str]] = {}
    last: dict[str, str] = {}
    for query in order:
        read = {name for direct in query.reads for name in through.get(direct, ())}
        through[query.name] = read if query.name in VIEWS else {query.name}
        if query.name not in VIEWS:
            last.update(dict.fromkeys(read & LONG, query.name))
    return {reader: [name for name in sorted(last) if last[name] == reader] for reader in set(last.values())}
