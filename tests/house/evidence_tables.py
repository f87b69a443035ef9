"""The column tables of docs/evidence-format.md, made from `rtoanalytics.schemas`.

`python -m tests.house.evidence_tables --write` (or `make docs`) writes them anew; a test holds the file to them.
Each stands between `<!-- columns of NAME -->` and `<!-- end of NAME -->`; the prose around it is written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from rtoanalytics.schemas import MAX_OFFSET, TABLES, Column, Kind, Table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "evidence-format.md"
OVERVIEW = "overview"
TYPE_NAMES = {
    Kind.STRING: "string",
    Kind.NAME: "string",
    Kind.INT32: "int32",
    Kind.INT64: "int64",
    Kind.DOUBLE: "double",
    Kind.BOOL: "bool",
    Kind.INSTANT: "timestamp",
    Kind.LABELS: "map<string, string>",
}


def markdown_row(*cells: str) -> str:
    """One line of a Markdown table; text between backticks is code, in which `<` is itself."""
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(cell: str) -> str:
    parts = cell.replace("|", "\\|").split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def overview() -> str:
    """Every table with its grain and its source."""
    rows = [markdown_row("table", "one row is", "where it comes from"), "|---|---|---|"]
    rows += [markdown_row(f"[`{table.name}`](#{table.name})", table.grain, table.source) for table in TABLES.values()]
    return "\n".join(rows)


def columns_of(table: Table) -> str:
    """The columns of one table: type, whether it may be null, domain, meaning."""
    rows = [markdown_row("column", "type", "required", "allowed", "meaning"), "|---|---|---|---|---|"]
    rows += [
        markdown_row(f"`{column.name}`", TYPE_NAMES[column.kind], required(column), allowed(column), column.meaning)
        for column in table.columns
    ]
    order = ", ".join(f"`{name}`" for name in table.order)
    return (
        f"One row is {table.grain}. Source: {table.source}.\n\n"
        + "\n".join(rows)
        + f"\n\nSealed files are sorted by {order}."
    )


def required(column: Column) -> str:
    """Whether, or when, the column must be there and not null."""
    if column.required_when:
        name, _, value = column.required_when.partition("=")
        return f"when `{name}` is `{value}`"
    return "yes" if column.is_required else ""


def allowed(column: Column) -> str:
    """The domain of a column; empty where its type says it all."""
    if column.values:
        return ", ".join(f"`{value}`" for value in column.values)
    if column.minimum is None:
        return ""
    if column.maximum == MAX_OFFSET:
        return "0 to 2⁶³ - 2"
    lowest = f"{column.minimum:g}"
    return f"above {lowest}" if column.is_minimum_exclusive else f"{lowest} or more"


def blocks() -> dict[str, str]:
    """Every generated part of the document by its name."""
    return {OVERVIEW: overview(), **{name: columns_of(table) for name, table in TABLES.items()}}


def block_names(document: str) -> list[str]:
    """Names of the generated parts that a document has room for, in its order."""
    return re.findall(r"<!-- columns of (\w+) -->", document)


def rewritten(document: str) -> str:
    """The document with every generated part as the schemas have it now."""
    for name, text in blocks().items():
        start, end = f"<!-- columns of {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        block = f"{start}\n{text}\n{end}".replace("\\", r"\\")
        document = pattern.sub(block, document)
    return document


def main() -> None:
    """Write the document anew, or say whether it is current."""
    parser = argparse.ArgumentParser(description="The column tables of docs/evidence-format.md.")
    parser.add_argument("--write", action="store_true", help="write them; without it, exit 1 if they are out of date")
    document = DOCUMENT.read_text(encoding="utf-8")
    if parser.parse_args().write:
        DOCUMENT.write_text(rewritten(document), encoding="utf-8")
    elif rewritten(document) != document:
        sys.exit(f"{DOCUMENT.name} is out of date: make docs")


if __name__ == "__main__":
    main()
