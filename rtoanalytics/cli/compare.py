"""`rto compare`: many drills against each other."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtoanalytics.cli.analyze import worst_status
from rtoanalytics.errors import UsageError

if TYPE_CHECKING:
    from rtoanalytics.compare import Rule

_STATUS = {"regressed": 1, "not_regressed": 0, "undecided": 2}
_COULD_NOT_RUN = 3


class Across(StrEnum):
    """What drills of one series may differ in when it is asked for."""

    INJECT = "inject"
    PLATFORM = "platform"
    ENGINE = "engine"
    LOAD = "load"
    SAMPLING = "sampling"
    DEFINITION = "definition"
    ALL = "all"


def compare(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE...", help="Folders of drills, or folders that hold them.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole comparison as one document.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print one row per drill and measure.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write the comparison as one HTML file.")
    ] = None,
    across: Annotated[
        list[Across] | None,
        typer.Option(
            metavar="ASPECT",
            help="Compare drills although they differ in inject, platform, engine, load, sampling, definition, or all."
            " May be repeated.",
        ),
    ] = None,
    load_ratio: Annotated[
        float, typer.Option(metavar="RATIO", help="Loads further apart than this are not compared.")
    ] = 1.25,
    cadence_days: Annotated[int, typer.Option(metavar="DAYS", help="Age at which the proof of a flow expires.")] = 92,
    as_of: Annotated[
        datetime | None,
        typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Day on which ages are told (default: today, UTC)."),
    ] = None,
) -> int:
    """Compare analyzed drills: what can be compared, what changed, where it is going, what has expired.

    Reads drill.yaml and results/ alone. Ends with 1 (the newest drill regressed), 0 (it did not), 2 (it cannot be
    told) or 3 (a bundle could not be read; the others are compared all the same).
    """
    if as_json and as_csv:
        msg = "--json and --csv are two answers; choose one"
        raise UsageError(msg)
    if cadence_days < 1:
        msg = f"--cadence-days {cadence_days}: a cadence is 1 day or more, such as 92"
        raise UsageError(msg)
    rule = _rule(across or [], load_ratio)
    day = as_of.date() if as_of else datetime.now(UTC).date()

    from rtoanalytics.compare import Question, compare_library, read_library
    from rtoanalytics.report.terminal import plain

    library = read_library(bundles)
    for item in library.unread:
        print(f"rto: {plain(item.bundle)}: {plain(item.problem)}", file=sys.stderr)
    if not library.drills:
        return _COULD_NOT_RUN
    document = compare_library(library, Question(day, cadence_days, rule))
    if html is not None:
        _write_html(document, html)
    _answer(document, as_json=as_json, as_csv=as_csv)
    return worst_status([_STATUS[document["outcome"]], *[_COULD_NOT_RUN for _ in library.unread]])


def _rule(across: list[Across], load_ratio: float) -> Rule:
    from rtoanalytics.compare import Aspect, Rule

    if not (isfinite(load_ratio) and load_ratio >= 1):
        msg = f"--load-ratio {load_ratio}: a ratio of loads is 1 or more, such as 1.25"
        raise UsageError(msg)
    chosen = Aspect if Across.ALL in across else [Aspect(aspect.value) for aspect in across]
    return Rule(frozenset(chosen), load_ratio)


def _write_html(document: dict[str, Any], path: Path) -> None:
    from rtoanalytics.compare.html import write_html

    write_html(document, path)
    print(f"wrote {path}", file=sys.stderr)


def _answer(document: dict[str, Any], *, as_json: bool, as_csv: bool) -> None:
    from rtoanalytics.compare import document_bytes

    if as_json:
        print(document_bytes(document).decode(), end="")
        return
    if as_csv:
        from rtoanalytics.compare.rows import csv_text

        print(csv_text(document), end="")
        return
    from rich.console import Console

    from rtoanalytics.compare.terminal import print_comparison

    print_comparison(document, Console())
