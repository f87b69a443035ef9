"""`rto analyze`: from bundles to verdicts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtoanalytics.errors import RtoError

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATUS = {"pass": 0, "fail": 1, "inconclusive": 2}
_COULD_NOT_RUN = 3
_BADNESS = (3, 1, 2, 0)
"""Exit statuses from worst to best: of several bundles the worst answers."""


def analyze(
    bundles: Annotated[list[Path], typer.Argument(metavar="BUNDLE...", help="Folders of drills.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print scorecard.json, one compact line a bundle.")] = False,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory the engine may take, e.g. 4GB; more is spilled to disk.")
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to spill (default: the system's temporary folder).")
    ] = None,
) -> int:
    """Reconcile and judge drills: write results/ of each bundle and show its scorecard.

    Ends with 0 (pass), 1 (fail), 2 (inconclusive) or 3 (could not run); of several bundles the worst: 3 > 1 > 2 > 0.
    """
    return worst_status([_analyze(bundle, as_json, memory_limit, scratch) for bundle in bundles])


def worst_status(statuses: Iterable[int]) -> int:
    """The worst of several exit statuses.

    >>> worst_status([0, 2, 1])
    1
    """
    found = set(statuses)
    return next(status for status in _BADNESS if status in found or status == 0)


def _analyze(bundle: Path, as_json: bool, memory_limit: str | None, scratch: Path | None) -> int:
    from rtoanalytics.analysis import analyze_bundle

    try:
        scorecard = analyze_bundle(bundle, memory_limit=memory_limit, scratch=scratch)
    except RtoError as error:
        # One bundle that cannot be read does not stop the others.
        print("\n".join(f"rto: {_placed(bundle, line)}" for line in str(error).splitlines()), file=sys.stderr)
        return _COULD_NOT_RUN
    _show(bundle, scorecard, as_json)
    return _STATUS[scorecard["verdict"]]


def _placed(bundle: Path, line: str) -> str:
    """A line of a message, with the bundle it is about unless it says so itself."""
    return line if line.startswith(f"{bundle}:") else f"{bundle}: {line}"


def _show(bundle: Path, scorecard: dict[str, Any], as_json: bool) -> None:
    from rtoanalytics.results import FOLDER, scorecard_line

    if as_json:
        print(scorecard_line(scorecard))
        return
    from rich.console import Console

    from rtoanalytics.report.terminal import print_scorecard

    print_scorecard(scorecard, Console())
    print(f"results in {bundle / FOLDER}", file=sys.stderr)
