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
        "acked_identities",
        "applications",
        "applied_effects",
        "effect_places",
        "fates",
        "identity_places",
        "merged_applied",
        "open_log_records",
        "open_records",
        "produces",
        "record_log_states",
        "records",
    }
)
"""As long as the evidence, and cheap to compute again from the narrow tables below. Everything else becomes a table."""

LONG = frozenset(
    {
        "acked_words",
        "captured_ack_words",
        "captured_applied_spans",
        "captured_effect_words",
        "captured_log_words",
        "captured_produce_spans",
        "effect_orders",
        "effect_words",
        "identified_applications",
        "identified_records",
        "identity_log_states",
        "located_effects",
        "located_words",
        "log_words",
        "open_log_states",
        "open_places",
        "open_words",
        "placed_effects",
        "record_effects",
        "record_fates",
        "settled_pages",
        "settled_words",
        "sought_acks",
        "sought_words",
        "twice_stretches",
        "word_orders",
    }
)
"""Tables that may have a row for every record, or for every word of them."""

SUMMARIES = {
    "captured_ack_words": "acks",
    "captured_applied_spans": "applied",
    "captured_effect_words": "applied",
    "captured_log_words": "log_records",
    "captured_produce_spans": "acks",
    "effect_orders": "applied",
}
"""Queries whose rows say something of a set of files by themselves, and the one large table that each of them reads.

Beside it they read relations of a row or two at most: what is kept counts as long as these say the same.
What a summary says of some files and what it says of others may be put side by side: whoever reads it merges the rows.
So it may be kept between analyses, where the engine can.
"""

ROW_BY_ROW = frozenset({"effect_orders"})
"""Summaries that read one row after the other, on one core: an engine may read several sets of files at once."""

SCREEN = "settled_words"
"""The query that spares the others most of their work. Where it returns nothing, records are looked at one by one."""

WORD_OFFSETS = 63
"""Consecutive offsets in a word: as many as a signed 64-bit integer has bits beside its sign."""

FUNCTIONS = {
    "word_of": ("record_offset",),
    "offset_bit": ("record_offset",),
    "identity_hash": ("record_id", "record_offset"),
    "source_hash": ("downstream", "cluster", "topic", "partition"),
}
"""Functions that queries call beside those of SQL, and their parameters; each engine says them in its own words.

`word_of`: the first offset of the word in which an offset lies. `offset_bit`: an integer with one bit set, for the
place of the offset in its word. `identity_hash`: 63 or 64 bits, null for a null identity. `source_hash`: as many bits
of the names under which effects are captured, nulls told from names. Engines may hash differently, since hashes are
only ever held against each other.
"""


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
    read = _read_through_views(order)
    last = {name: query.name for query in order if query.name not in VIEWS for name in read[query.name] & LONG}
    return {reader: [name for name in sorted(last) if last[name] == reader] for reader in set(last.values())}


def lost_views(order: Sequence[Query]) -> frozenset[str]:
    """Views whose turn comes when a long table that they read is dropped already: they have no reader but people."""
    read, dropped_after = _read_through_views(order), last_readers(order)
    dropped: set[str] = set()
    lost = set()
    for query in order:
        if query.name in VIEWS and read[query.name] & dropped:
            lost.add(query.name)
        dropped.update(dropped_after.get(query.name, ()))
    return frozenset(lost)


def _read_through_views(order: Sequence[Query]) -> dict[str, set[str]]:
    """By query: what it reads, with views replaced by what these read."""
    read: dict[str, set[str]] = {}
    for query in order:
        read[query.name] = {name for direct in query.reads for name in (read[direct] if direct in VIEWS else {direct})}
    return read
