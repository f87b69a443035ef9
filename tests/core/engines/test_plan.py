"""What the plan of a run says of tables that are dropped on the way, and of views over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.engines.plan import LONG, VIEWS, last_readers, lost_views
from rtoanalytics.queries import Query, in_order, load_queries

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCATED = "located_effects"
"""A long table."""
FATES = "fates"
"""A view."""


def query(name: str, *reads: str) -> Query:
    """A query of which only the name counts, and what it reads."""
    return Query(name, "", (), "", reads, (), "", "", {})


@pytest.mark.parametrize(
    ("order", "dropped_after", "lost"),
    [
        pytest.param(
            [query(LOCATED, "acks"), query("ledger", LOCATED), query(FATES, LOCATED)],
            {"ledger": [LOCATED]},
            {FATES},
            id="a view behind the last table that reads what it reads",
        ),
        pytest.param(
            [query(LOCATED, "acks"), query("ledger", LOCATED), query("records", LOCATED), query(FATES, "records")],
            {"ledger": [LOCATED]},
            {FATES, "records"},
            id="a view over such a view",
        ),
        pytest.param(
            [query(LOCATED, "acks"), query(FATES, LOCATED), query("ledger", LOCATED)],
            {"ledger": [LOCATED]},
            set(),
            id="a view before it",
        ),
        pytest.param(
            [query(LOCATED, "acks"), query(FATES, LOCATED), query("lag", LOCATED), query("ledger", FATES)],
            {"ledger": [LOCATED]},
            set(),
            id="a table that reads it through a view comes last",
        ),
        pytest.param(
            [query("acked_logs", "acks"), query("ledger", "acked_logs"), query(FATES, "acked_logs")],
            {},
            set(),
            id="what is not long is kept",
        ),
        pytest.param([query(LOCATED, "acks"), query(FATES, LOCATED)], {}, set(), id="only a view reads it"),
    ],
)
def test_long_tables_go_behind_their_last_reader_and_views_over_them_are_lost(
    order: Sequence[Query], dropped_after: dict[str, list[str]], lost: set[str]
) -> None:
    """A long table goes when the last table was computed from it; a view whose turn comes later cannot be laid."""
    assert last_readers(order) == dropped_after
    assert lost_views(order) == lost


def test_whatever_runs_finds_what_it_reads() -> None:
    """Of the whole chain, everything but the lost views stands on tables that are not dropped when its turn comes."""
    order = in_order(load_queries())
    dropped_after, lost = last_readers(order), lost_views(order)
    dropped: set[str] = set()
    for each in order:
        assert each.name in lost or not dropped & standing_on(each.name), each.name
        dropped.update(dropped_after.get(each.name, ()))
    assert dropped <= LONG


def test_only_people_miss_the_lost_views() -> None:
    """No table is computed from a view that is lost."""
    order = in_order(load_queries())
    lost = lost_views(order)
    assert lost <= VIEWS
    assert not [each.name for each in order if each.name not in lost and lost & set(each.reads)]


def standing_on(name: str) -> set[str]:
    """The tables that a query reads, itself or through views."""
    queries = load_queries()
    reads = queries[name].reads if name in queries else ()
    return {table for read in reads for table in (standing_on(read) if read in VIEWS else {read})}
