"""The graphs of docs/architecture.md are those of the query headers."""

from __future__ import annotations

import re

from rtoanalytics.queries import load_queries
from tests.core.docs.query_graph import DOCUMENT, GRAPH, rewritten

TEXT = DOCUMENT.read_text("utf-8")


def test_the_graphs_are_current() -> None:
    """Every graph of the page is what the headers of the queries give now."""
    assert rewritten(TEXT) == TEXT


def test_every_measure_and_the_whole_have_a_graph() -> None:
    """There is one graph for each measure and one for the whole, each once."""
    expected = ["overview", *(f"M{number}" for number in range(1, 12))]
    assert [found[1] for found in GRAPH.finditer(TEXT)] == expected


def test_every_query_stands_in_a_graph() -> None:
    """No query is left out."""
    drawn = set(re.findall(r"^    (\w+)\[\w+\]$", TEXT, re.MULTILINE))
    assert drawn == set(load_queries())


def test_every_part_of_the_core_is_described() -> None:
    """Each module and folder directly inside the core is named on the page."""
    parts = (DOCUMENT.parent.parent / "rtoanalytics").iterdir()
    names = {part.name for part in parts if part.is_dir() or part.suffix == ".py"}
    names = {name for name in names if not name.startswith("__")}
    assert not sorted(name for name in names if not re.search(rf"`[\w/]*{re.escape(name)}", TEXT))
