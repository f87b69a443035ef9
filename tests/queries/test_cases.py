"""Every case under tests/queries: the query alone, over hand-written rows, against an answer worked out by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.queries.case import Case, Row, cases

CASES = cases(Path(__file__).parent)
STATEMENTS = [
    pytest.param(case, statement, id=f"{case.query.name}-{case.folder.name}-{words}")
    for case in CASES
    for words, statement in {"portable": case.query.sql, **case.query.own_words}.items()
]


@pytest.mark.parametrize(("case", "statement"), STATEMENTS)
def test_the_query_answers_what_was_worked_out_by_hand(case: Case, statement: str) -> None:
    """Over the relations of the case, and no others, the query answers exactly the expected rows, in whatever order.

    It does so in its portable text and in an engine's own words. Of effect_turns DuckDB's words may find more: they
    compare with the rows captured before and after. Its cases list effects by offset, where both find the same.
    """
    _, expected = case.expected()
    assert in_order(case.answered(statement)) == in_order(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.query.name}-{case.folder.name}")
def test_a_case_holds_nothing_that_its_query_does_not_read(case: Case) -> None:
    """A CSV whose name is mistyped would be an empty relation, and the case would prove something else."""
    assert case.strangers() == []


def test_every_case_has_a_twin() -> None:
    """A query with a case has two at least: one in which it happens, and one in which it must not."""
    counts = Counter(case.query.name for case in CASES)
    assert sorted(name for name, count in counts.items() if count < 2) == []


def in_order(rows: list[Row]) -> list[Row]:
    """Rows sorted by every column, with doubles at nine decimals."""
    rounded = [{name: _rounded(value) for name, value in row.items()} for row in rows]
    return sorted(rounded, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def _rounded(value: object) -> object:
    return round(value, 9) if isinstance(value, float) else value
