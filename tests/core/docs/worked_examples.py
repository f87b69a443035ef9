"""The worked examples of docs/measures.md, read from its Markdown and run through the analysis.

An example is a section whose heading starts with `Example`. In it, a table below a link to an evidence table is
evidence, a `yaml` block replaces parts of the drill that the page defines first, a table below an `sql` block is what
that query answers, and a `json` block is a part of scorecard.json. `Evidence as in [Example …]` takes over the evidence
of an earlier one. Instants are times of day on one date.

`python -m tests.core.docs.worked_examples --write` writes the answers of the SQL blocks anew. Read the difference
before keeping it: the page says what the measures mean, so an answer that changes is a defect until shown otherwise.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.schemas import TABLES, Kind
from rtoanalytics.sql_session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "measures.md"
DAY = date(2026, 11, 20)
HEADING = re.compile(r"^#{2,4} +(.*)$")
EVIDENCE_LINK = re.compile(r"^\[`(\w+)`\]\(evidence-format\.md#\w+\)")
SAME_EVIDENCE = re.compile(r"^Evidence as in \[(Example M[\d.]+)\]")
FENCE = re.compile(r"^```(\w+)$")

Definition = dict[str, Any]


@dataclass
class Answer:
    """A query of the page and the table below it, as text; `first` and `last` are the table's lines in the page."""

    sql: str
    first: int
    last: int
    table: list[list[str]]


@dataclass
class Example:
    """One worked example."""

    title: str
    definition: Definition = field(default_factory=dict)
    evidence: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    scorecard: list[Any] = field(default_factory=list)


def read_examples(document: str) -> list[Example]:
    """Every example of the page. The first `yaml` block of the page is the drill that they all share."""
    lines = document.splitlines()
    examples: list[Example] = []
    shared: Definition | None = None
    current: Example | None = None
    number = 0
    while number < len(lines):
        line = lines[number]
        heading, link, fence = HEADING.match(line), EVIDENCE_LINK.match(line), FENCE.match(line)
        if current and (same := SAME_EVIDENCE.match(line)):
            current.evidence = next(one.evidence for one in examples if one.title.startswith(f"{same[1]}:"))
        if heading:
            current = Example(heading[1], dict(shared or {})) if heading[1].startswith("Example") else None
            examples += [current] if current else []
        elif link and current:
            _, number, table = _table(lines, number + 1)
            current.evidence[link[1]] = _rows(link[1], table)
            continue
        elif fence:
            body, number = _fenced(lines, number + 1)
            if fence[1] == "yaml" and shared is None:
                shared = yaml.safe_load(body)
            elif current:
                _take(current, fence[1], body, lines, number)
        number += 1
    return examples


def _take(example: Example, language: str, body: str, lines: list[str], number: int) -> None:
    if language == "yaml":
        example.definition |= yaml.safe_load(body)
    elif language == "sql":
        first, last, table = _table(lines, number + 1)
        example.answers.append(Answer(body, first, last, table))
    elif language == "json":
        example.scorecard.append(json.loads(body))


def _fenced(lines: list[str], first: int) -> tuple[str, int]:
    last = next(number for number in range(first, len(lines)) if lines[number] == "```")
    return "\n".join(lines[first:last]), last


def _table(lines: list[str], after: int) -> tuple[int, int, list[list[str]]]:
    """The table that begins after at most one empty line: its first line, the line behind it, and its cells."""
    first = after + (after < len(lines) and not lines[after].strip())
    last = first
    while last < len(lines) and lines[last].startswith("|"):
        last += 1
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[first:last]]
    return first, last, [*cells[:1], *cells[2:]]


def _rows(table_name: str, cells: list[list[str]]) -> list[dict[str, Any]]:
    names, *rows = cells
    return [{name: _value(table_name, name, cell) for name, cell in zip(names, row, strict=True)} for row in rows]


def _value(table_name: str, column_name: str, cell: str) -> Any:  # noqa: ANN401
    if cell == "null":
        return None
    kind = TABLES[table_name].by_name[column_name].kind
    if kind is Kind.INSTANT:
        return datetime.combine(DAY, time.fromisoformat(cell), UTC)
    if kind in (Kind.INT32, Kind.INT64):
        return int(cell)
    return float(cell) if kind is Kind.DOUBLE else cell


def write_example(root: Path, example: Example) -> None:
    """The example as a bundle."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "drill.yaml").write_text(yaml.safe_dump(example.definition, sort_keys=False), "utf-8")
    for table_name, rows in example.evidence.items():
        folder = root / "evidence" / table_name
        folder.mkdir(parents=True)
        schema = TABLES[table_name].arrow_schema
        fields = [column for column in schema if any(column.name in row for row in rows)]
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), folder / "rows.parquet")


def answers_of(root: Path, example: Example) -> Iterator[list[list[str]]]:
    """What `rto sql` answers to each query of the example, as the cells of a table."""
    with open_session(root) as session:
        for answer in example.answers:
            yield _cells(session.ask(answer.sql).to_arrow_table())


def scorecard_of(root: Path) -> dict[str, Any]:
    """The scorecard of the example."""
    return analyze_bundle(root)


def difference(expected: object, actual: object, place: str = "scorecard") -> str | None:
    """Where a part of a scorecard differs from the scorecard; keys that the part leaves out are not compared."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        pairs = [(f"{place}.{key}", value, actual.get(key, "no such key")) for key, value in expected.items()]
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = [(f"{place}[{n}]", *pair) for n, pair in enumerate(zip(expected, actual, strict=True))]
    else:
        return None if expected == actual else f"{place}: the page says {expected!r}, the tool {actual!r}"
    return next((found for where, a, b in pairs if (found := difference(a, b, where))), None)


def _cells(table: pa.Table) -> list[list[str]]:
    return [table.column_names, *([_text(value) for value in row.values()] for row in table.to_pylist())]


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.time().isoformat().rstrip("0").removesuffix(".") if value.microsecond else f"{value:%H:%M:%S}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def markdown(table: list[list[str]]) -> list[str]:
    """Cells as the lines of a Markdown table."""
    head, *rows = table
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


def rewritten(document: str) -> str:
    """The page with the answer of every SQL block as the analysis gives it now."""
    lines = document.splitlines()
    found = []
    for example in read_examples(document):
        with tempfile.TemporaryDirectory() as folder:
            write_example(Path(folder), example)
            found += list(zip(example.answers, answers_of(Path(folder), example), strict=True))
    for answer, table in reversed(found):
        lines[answer.first : answer.last] = markdown(table) + ([] if answer.table else [""])
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the answers anew, or print what they would be."""
    parser = argparse.ArgumentParser(description="The worked examples of docs/measures.md.")
    parser.add_argument("--write", action="store_true", help="write the answers into the page")
    document = rewritten(DOCUMENT.read_text("utf-8"))
    if parser.parse_args().write:
        DOCUMENT.write_text(document, "utf-8")
    else:
        print(document)  # noqa: T201


if __name__ == "__main__":
    main()
