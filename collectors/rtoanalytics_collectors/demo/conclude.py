"""After the capture: seal the bundle, analyze it, show the scorecard, write the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.report.html import write_html
from rtoanalytics.report.terminal import print_scorecard
from rtoanalytics.seal import seal_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


def conclude(bundle: Path, shown_bundle: str, console: Console) -> None:
    """Seal, analyze and report a captured bundle; the scorecard, the files and what to try next go to `console`.

    `shown_bundle` is the bundle's path as a reader would type it.
    """
    seal_bundle(bundle)
    scorecard = analyze_bundle(bundle)
    report = write_html(bundle)
    print_scorecard(scorecard, console)
    console.print(_written(bundle, report, shown_bundle), highlight=False, soft_wrap=True, markup=False)


def _written(bundle: Path, report: Path, shown: str) -> str:
    results = [f"{shown}/{path.relative_to(bundle)}" for path in sorted((bundle / "results").glob("*.*"))]
    lines = [
        "",
        "Written",
        f"  {shown}/drill.yaml        what was planned",
        f"  {shown}/evidence/         what was captured, sealed in manifest.json",
        *(f"  {path}" for path in results),
        "",
        "Try next",
        f"  open {shown}/{report.relative_to(bundle)}",
        f"  rto report {shown}",
        f'  rto sql {shown} "select fate, sum(records) as records from findings group by fate"',  # noqa: S608  (shown, not run)
        f"  rto analyze {shown}",
        f"  rto verify {shown}",
    ]
    return "\n".join(lines)
