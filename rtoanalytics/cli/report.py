"""`rto report`: one bundle's answer for people."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a report is written."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


def report(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a drill.")],
    form: Annotated[Format, typer.Option("--format", help="One HTML file, Markdown, or scorecard.json.")] = Format.HTML,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; - for standard output.")
    ] = None,
) -> None:
    """Write a report of a drill, analyzing it first where results/ are missing or older than the evidence.

    Prints the path of what was written.
    """
    from rtoanalytics.report.files import write_report
    from rtoanalytics.report.freshness import analyzed

    if analyzed(bundle):
        print(f"analyzed {bundle}", file=sys.stderr)
    text, path = write_report(bundle, form.value, output)
    print(text if path is None else path, end="" if path is None else "\n")
