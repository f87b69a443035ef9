"""Every case under tests/queries: the query alone, over hand-written rows, against an answer worked out by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.queries.case import PORTABLE, Case, Row, cases, own_expected

CASES = cases(Path(__file__).parent)
STATEMENTS = [
    pytest.param(case, words, statement, id=f"{case.query.name}-{case.folder.name}-{words}")
    for case in CASES
    for words, statement in {PORTABLE: case.query.sql, **case.query.own_words}.items()
]


@pytest.mark.parametrize(("case", "words", "statement"), STATEMENTS)
def test_the_query_answers_what_was_worked_out_by_hand(case: Case, words: str, statement: str) -> None:
    """Over the relations of the case, and no others, the query answers exactly the expected rows, in whatever order.

    It does so in its portable text and in an engine's own words. Of effect_orders DuckDB's words may tell less, since
    they know rows only in the order in which they were captured; where they do, the case has an answer for them.
    """
    _, expected = case.expected(words)
    assert in_order(case.answered(statement)) == in_order(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.query.name}-{case.folder.name}")
def test_a_case_holds_nothing_that_its_query_does_not_read(case: Case) -> None:
    """A CSV whose name is mistyped would be an empty relation, and the case would prove something else."""
    assert case.strangers() == []


OWN_ANSWERS = [
    (case, words) for case in CASES for words in case.query.own_words if (case.folder / own_expected(words)).exists()
]


@pytest.mark.parametrize(("case", "words"), OWN_ANSWERS, ids=lambda part: getattr(part, "folder", Path(str(part))).name)
def test_words_of_their_own_may_only_tell_less(case: Case, words: str) -> None:
    """Where an engine's own words answer otherwise, they count fewer offsets in order, and never more.

    All else that they say of a word is as in the portable answer: which offsets have effects, and from when to when.
    """
    less, portable = (case.expected(one)[1] for one in (words, PORTABLE))
    assert case.query.name == "effect_orders"
    assert [_without_order(row) for row in less] == [_without_order(row) for row in portable]
    counts = [(few["ordered_offsets"], many["ordered_offsets"]) for few, many in zip(less, portable, strict=True)]
    assert all(few <= many for few, many in counts)
    assert any(few < many for few, many in counts)


def _without_order(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"ordered_offsets", "last_first_us"}}


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
