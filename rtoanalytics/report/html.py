"""The report as one HTML file that opens offline: no script, no request, styles and charts inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rtoanalytics.charts import draw_svg
from rtoanalytics.charts.elapsed import moments_of
from rtoanalytics.charts.style import PALETTE, dark_css
from rtoanalytics.report import view
from rtoanalytics.report.figures import Figure, Studio
from rtoanalytics.report.key_figures import key_figures
from rtoanalytics.report.reading import read_frames, read_scorecard, write_result
from rtoanalytics.report.wording import balances, interval, number, seconds, simulated_sentence, verdict_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from rtoanalytics.report.figures import Draw

TEMPLATES = Path(__file__).parent / "templates"
"""Where the templates and the style sheet stand."""


def write_html(bundle: Path) -> Path:
    """Write results/report.html of an analyzed bundle and return its path. Raises RtoError without results."""
    return write_result(bundle, "report.html", html_of(bundle))


def html_of(bundle: Path) -> str:
    """The HTML report of an analyzed bundle. Raises RtoError without results."""
    return render_html(read_scorecard(bundle), read_frames(bundle))


def render_html(scorecard: Mapping[str, Any], frames: Mapping[str, pl.DataFrame], draw: Draw = draw_svg) -> str:
    """The page. `frames` by name, as results/ holds them; `draw` makes SVG of a chart's specification."""
    return environment(TEMPLATES).get_template("report.html.j2").render(_page(scorecard, frames, draw))


def environment(*folders: Path) -> Environment:
    """Templates of these folders: everything is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(number=number, seconds=seconds)
    return made


def _page(scorecard: Mapping[str, Any], frames: Mapping[str, pl.DataFrame], draw: Draw) -> dict[str, Any]:
    rows = view.row_views(scorecard)
    return {
        "css": style_sheet(),
        "scorecard": scorecard,
        "title": scorecard["drill"]["title"] or scorecard["drill"]["id"],
        "badge": view.badge(scorecard["verdict"]),
        "sentence": verdict_sentence(scorecard),
        "simulated": simulated_sentence(scorecard),
        "interval": interval(scorecard["recovery"]),
        "rows": rows,
        "key_figures": key_figures(scorecard),
        "next_actions": view.next_actions(rows),
        "not_judged": view.not_judged(rows),
        "facts": view.facts(scorecard),
        "balances": balances(scorecard["totals"]),
        **_figures(scorecard, frames, draw),
        **_tables(scorecard, frames),
    }


def _figures(scorecard: Mapping[str, Any], frames: Mapping[str, pl.DataFrame], draw: Draw) -> dict[str, Any]:
    studio = Studio(moments_of(scorecard), draw)
    recovery = scorecard["recovery"]
    return {
        "interval_figure": _marked(studio.interval(recovery)),
        "recovery_figures": _all_marked(studio.recovery(recovery, frames["recovery"])),
        "backlog_figures": _all_marked(studio.backlog(scorecard["backlog"], frames["burn_down"])),
        "findings_figures": _all_marked(studio.findings(frames["findings"])),
        "timeline_figures": _all_marked(studio.timeline(frames["timeline"])),
        "coverage_figures": _all_marked(studio.coverage(frames["coverage"])),
    }


def _tables(scorecard: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    moments = moments_of(scorecard)
    ledger, ledger_more = view.ledger_rows(scorecard)
    findings, findings_more = view.findings_rows(frames["findings"], moments)
    timeline, timeline_more = view.timeline_rows(frames["timeline"], moments)
    return {
        "phases": view.phase_rows(scorecard["recovery"], moments),
        "conditions": view.condition_rows(scorecard["recovery"], moments),
        "backlog": view.backlog_rows(scorecard, moments),
        "ledger": ledger,
        "ledger_more": view.more(ledger_more, "partition", "partitions", "select * from ledger"),
        "downstreams": view.ledger_by_downstream(scorecard),
        "findings": findings,
        "findings_more": view.more(findings_more, "finding", "findings", "select * from findings"),
        "timeline": timeline,
        "timeline_more": view.more(timeline_more, "entry", "entries", "select * from timeline"),
        "coverage": view.coverage_rows(frames["coverage"], moments),
    }


def _all_marked(figures: list[Figure]) -> list[dict[str, Any]]:
    return [_marked(figure) for figure in figures]


def _marked(figure: Figure) -> dict[str, Any]:
    """A figure for the template. Only the drawn SVG counts as markup: vl-convert escaped the text in it."""
    return {
        "title": figure.title,
        "caption": figure.caption,
        "description": figure.description,
        "wide": Markup(figure.wide),  # noqa: S704
        "narrow": Markup(figure.narrow),  # noqa: S704
    }


def style_sheet() -> Markup:
    """The style sheet, with every color of the charts as a variable and its dark twin."""
    light = "".join(f"--{role.replace('_', '-')}:{tone.light};" for role, tone in PALETTE.items())
    dark = "".join(f"--{role.replace('_', '-')}:{tone.dark};" for role, tone in PALETTE.items())
    sheet = (TEMPLATES / "report.css").read_text("utf-8")
    return Markup(  # noqa: S704  (ours)
        f":root{{{light}}}\n{sheet}\n@media screen and (prefers-color-scheme: dark) {{\n"
        f":root{{{dark}}}\n{dark_css('.chart')}\n}}\n"
    )
