"""The list of queries in docs/queries.md, made from the headers of queries/*.sql.

`python -m tests.house.query_list --write` (or `make docs`) writes it anew; a test holds the file to it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from rtoanalytics.queries import Query, in_order, load_queries
from rtoanalytics.schemas import TABLES
from tests.house.evidence_tables import markdown_row

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "queries.md"
LIST = re.compile(r"(?<=<!-- queries -->\n).*?(?=<!-- end of queries -->)", re.DOTALL)


def linked(relation: str, queries: frozenset[str]) -> str:
    """A relation with a link to where it is defined."""
    if relation in TABLES:
        return f"[`{relation}`](evidence-format.md#{relation})"
    return f"[`{relation}`](../queries/{relation}.sql)" if relation in queries else f"`{relation}`"


def row(query: Query, queries: frozenset[str]) -> str:
    """One query: its file, its question, its measures and what it reads."""
    reads = ", ".join(linked(relation, queries) for relation in query.reads)
    return markdown_row(linked(query.name, queries), query.question, ", ".join(query.measures), reads)


def query_list() -> str:
    """Every query, after those that it reads."""
    queries = load_queries()
    head = [markdown_row("query", "question", "measure", "reads"), "|---|---|---|---|"]
    return "\n".join([*head, *(row(query, frozenset(queries)) for query in in_order(queries))]) + "\n"


def rewritten(document: str) -> str:
    """The document with the list as the headers have it now."""
    return LIST.sub(query_list().replace("\\", r"\\"), document)


def main() -> None:
    """Write the document anew, or say whether it is current."""
    parser = argparse.ArgumentParser(description="The list of queries in docs/queries.md.")
    parser.add_argument("--write", action="store_true", help="write it; without it, exit 1 if it is out of date")
    document = DOCUMENT.read_text(encoding="utf-8")
    if parser.parse_args().write:
        DOCUMENT.write_text(rewritten(document), encoding="utf-8")
    elif rewritten(document) != document:
        sys.exit(f"{DOCUMENT.name} is out of date: make docs")


if __name__ == "__main__":
    main()
