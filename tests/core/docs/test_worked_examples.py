"""The worked examples of docs/measures.md are true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.queries import load_queries
from tests.core.docs.worked_examples import (
    DOCUMENT,
    Example,
    answers_of,
    difference,
    markdown,
    read_examples,
    scorecard_of,
    write_example,
)

if TYPE_CHECKING:
    from pathlib import Path

TEXT = DOCUMENT.read_text("utf-8")
EXAMPLES = read_examples(TEXT)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_query_answers_as_the_page_says(example: Example, tmp_path: Path) -> None:
    """The evidence of an example, analyzed, gives exactly the tables that stand below its queries, in their order."""
    write_example(tmp_path / "bundle", example)
    for answer, actual in zip(example.answers, answers_of(tmp_path / "bundle", example), strict=True):
        assert markdown(answer.table) == markdown(actual)


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.scorecard], ids=lambda example: example.title
)
def test_the_scorecard_says_what_the_page_says(example: Example, tmp_path: Path) -> None:
    """Every key and value of a JSON block stands so in the scorecard of the example."""
    write_example(tmp_path / "bundle", example)
    scorecard = scorecard_of(tmp_path / "bundle")
    assert [difference(part, scorecard) for part in example.scorecard] == [None] * len(example.scorecard)


def test_no_example_is_empty() -> None:
    """Each example has evidence and an answer, so that none is passed over by a misread heading or link."""
    assert not [example.title for example in EXAMPLES if not example.evidence]
    assert not [example.title for example in EXAMPLES if not (example.answers or example.scorecard)]


@pytest.mark.parametrize("number", range(1, 12))
def test_every_measure_has_an_example(number: int) -> None:
    """M1 to M11 each have at least one example, titled with the number."""
    assert [example for example in EXAMPLES if example.title.startswith(f"Example M{number}.")]


@pytest.mark.parametrize("query", sorted(load_queries()))
def test_every_query_is_named_under_its_measures(query: str) -> None:
    """Each query is linked from the section of every measure that its header names."""
    sections = {part.partition(" ")[0]: part for part in TEXT.split("\n## ")}
    for measure in load_queries()[query].measures:
        section = sections.get(measure, TEXT)
        assert f"[`{query}`](../queries/{query}.sql)" in section
