"""The graphs of docs/architecture.md, made from what the headers of queries/*.sql say in `Reads:`.

`python -m tests.core.docs.query_graph --write` (or `make docs`) writes them anew; a test holds the page to them.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.queries import GRID, GRID_ENDS, Query, in_order, load_queries
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"
GRAPH = re.compile(r"(?<=<!-- graph of )(\w+)( -->\n).*?(?=<!-- end of graph -->)", re.DOTALL)

LANDMARKS = (
    "records",
    "fates",
    "ledger",
    "findings",
    "lag",
    "burn_down",
    "backlog",
    "recovery",
    "recovery_times",
    "phases",
    "timeline",
    "coverage",
    "recovery_point",
)
"""Queries that the overview shows; it looks through all others …"""
BACKGROUND = frozenset(
    {"table_extents", "capture_window", "clusters_seen", "flow_topics", "clock", "collector_series", "coverage_gaps"}
)
"""… except these, on which nearly everything stands: the overview leaves them out."""

Edges = set[tuple[str, str]]


def overview() -> str:
    """From evidence to the landmarks, each arrow only where no longer way leads there too."""
    queries = load_queries()
    edges = {(source, name) for name in LANDMARKS for source in _sources(queries, name)}
    return mermaid(_reduced(edges), LANDMARKS)


def _reduced(edges: Edges) -> Edges:
    """The edges without those that a longer path replaces."""
    after = {source: {target for start, target in edges if start == source} for source, _ in edges}
    longer = {source: set[str]().union(*(_beyond(after, step) for step in steps)) for source, steps in after.items()}
    return {(source, target) for source, target in edges if target not in longer[source]}


def _beyond(after: Mapping[str, set[str]], name: str) -> set[str]:
    following = after.get(name, set())
    return following.union(*(_beyond(after, step) for step in following))


def _sources(queries: Mapping[str, Query], name: str) -> set[str]:
    """Evidence and landmarks that a query reads, directly or through queries that are no landmarks."""
    found: set[str] = set()
    for read in _reads(queries[name]):
        if read in TABLES or read in LANDMARKS:
            found.add(read)
        elif read in queries and read not in BACKGROUND:
            found |= _sources(queries, read)
    return found


def graph_of(measure: str) -> str:
    """The queries of one measure and what each of them reads, without the definition."""
    queries = load_queries()
    members = [query for query in in_order(queries) if measure in query.measures]
    edges = {(read, query.name) for query in members for read in _reads(query) if read in queries or read in TABLES}
    return mermaid(edges, [query.name for query in members])


def _reads(query: Query) -> tuple[str, ...]:
    return tuple(GRID_ENDS if read == GRID else read for read in query.reads)


def mermaid(edges: Edges, bold: Iterable[str]) -> str:
    """A flowchart: evidence as cylinders, queries as boxes, those in `bold` with a thick border."""
    names = sorted({name for edge in edges for name in edge} | set(bold))
    nodes = [f"    {name}[({name})]" if name in TABLES else f"    {name}[{name}]" for name in names]
    arrows = [f"    {source} --> {target}" for source, target in sorted(edges)]
    thick = ["    classDef own stroke-width:3px", f"    class {','.join(sorted(bold))} own"]
    return "\n".join(["```mermaid", "flowchart LR", *nodes, *arrows, *thick, "```"]) + "\n"


def rewritten(document: str) -> str:
    """The page with its graphs as the headers have them now."""
    return GRAPH.sub(lambda found: f"{found[1]}{found[2]}\n{graph(found[1])}\n", document)


def graph(name: str) -> str:
    """The graph of one measure, or the overview."""
    return overview() if name == "overview" else graph_of(name)


def main() -> None:
    """Write the page anew, or say whether it is current."""
    parser = argparse.ArgumentParser(description="The graphs of docs/architecture.md.")
    parser.add_argument("--write", action="store_true", help="write them; without it, exit 1 if they are out of date")
    document = DOCUMENT.read_text("utf-8")
    if parser.parse_args().write:
        DOCUMENT.write_text(rewritten(document), "utf-8")
    elif rewritten(document) != document:
        sys.exit(f"{DOCUMENT.name} is out of date: make docs")


if __name__ == "__main__":
    main()
