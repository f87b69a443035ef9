"""The comparison as one HTML file that opens offline: no script, no request, styles and charts inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rtoanalytics import charts
from rtoanalytics.compare import figures, views
from rtoanalytics.report.figures import PHONE
from rtoanalytics.report.html import TEMPLATES, environment, style_sheet
from rtoanalytics.report.reading import write_text
from rtoanalytics.report.view import badge
from rtoanalytics.report.wording import number, readable
from rtoanalytics.wording import counted, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import altair as alt

    from rtoanalytics.report.figures import Draw

    Facts = Mapping[str, Any]

MAX_SERIES = 12
MAX_ITEMS = 60
MAX_DRILLS = 200
"""Most series, carried items and drills on the page; `rto compare --json` and `--csv` have them all."""
_OWN = Path(__file__).parent / "templates"


def write_html(document: Facts, path: Path) -> None:
    """Write the page, whole or not at all. Raises RtoError where it cannot be written."""
    write_text(path, render_html(document))


def render_html(document: Facts, draw: Draw = charts.draw_svg) -> str:
    """The page of a comparison; `draw` makes SVG of a chart's specification."""
    return environment(_OWN, TEMPLATES).get_template("compare.html.j2").render(_page(document, draw))


def _page(document: Facts, draw: Draw) -> dict[str, Any]:
    drills = {drill["drill"]: drill for drill in document["drills"]}
    series = views.shown_series(document)
    items = document["carried"]
    closed = [item for item in items if not item["is_open"]]
    return {
        "css": style_sheet(),
        "document": document,
        "badge": views.outcome_view(document["outcome"]),
        "sentence": sentence(document["reason"]),
        "simulated": views.simulated_note(document),
        "series": [_series(place, one, drills, draw) for place, one in enumerate(series[:MAX_SERIES])],
        "series_more": _more(len(series) - MAX_SERIES, "series", "series"),
        "apart": views.apart_rows(document),
        "expiry": document["expiry"],
        "faults": _matrix(document["faults"]),
        "open_items": [_item(item) for item in items if item["is_open"]][:MAX_ITEMS],
        "closed_items": [_item(item) for item in closed][:MAX_ITEMS],
        "items_more": _more(max(0, len(items) - len(closed) - MAX_ITEMS), "open item", "open items"),
        "platforms": [_pair(pair) for pair in document["platforms"]],
        "drills": [_drill(drill) for drill in document["drills"]][-MAX_DRILLS:],
        "drills_more": _more(len(drills) - MAX_DRILLS, "drill", "drills"),
        "day": views.day,
    }


def _series(place: int, series: Facts, drills: Mapping[str, Facts], draw: Draw) -> dict[str, Any]:
    columns = views.columns_of(series, drills)
    return {
        **views.outcome_view(series["outcome"]),
        "place": place,
        "title": views.series_title(series),
        "reason": sentence(series["reason"]),
        "is_superseded": series["is_superseded"],
        "columns": [
            {"name": name, "date": views.day(drill["occurred_at"]), "drill": drill["drill"], **badge(drill["verdict"])}
            for name, drill in columns
        ],
        "rows": views.measure_rows(series, columns),
        "quiet": views.quiet_note(columns),
        "note": views.trend_note(series),
        "verdicts": views.verdict_rows(series),
        "phases": views.phase_rows(columns),
        "figures": _figures([drills[name] for name in series["drills"]], draw, f"series{place}"),
    }


def _figures(drills: Sequence[Facts], draw: Draw, prefix: str) -> list[dict[str, Any]]:
    made = []
    if figures.has_recovery(drills):
        made.append(_figure(lambda width: figures.recovery_history(drills, width), draw, f"{prefix}recovery"))
    if figures.has_phases(drills):
        made.append(_figure(lambda width: figures.phase_history(drills, width), draw, f"{prefix}phases"))
    return made


def _figure(chart_of: Callable[[int], alt.LayerChart], draw: Draw, prefix: str) -> dict[str, Any]:
    """A figure for the template. Only the drawn SVG counts as markup: vl-convert escaped the text in it."""
    wide, narrow = (chart_of(width).to_dict(validate=False) for width in (charts.WIDE, PHONE))
    return {
        "title": wide["title"]["text"],
        "caption": " ".join(wide["title"]["subtitle"]),
        "description": wide["description"],
        "wide": Markup(draw(charts.untitled(wide), f"{prefix}wide")),  # noqa: S704
        "narrow": Markup(draw(charts.untitled(narrow), f"{prefix}narrow")),  # noqa: S704
    }


def _matrix(cells: Sequence[Facts]) -> dict[str, Any]:
    """Flows down, faults across."""
    injects = list(dict.fromkeys(cell["inject"] for cell in cells))
    flows = list(dict.fromkeys(cell["flow"] for cell in cells))
    by_place = {(cell["flow"], cell["inject"]): cell for cell in cells}
    return {
        "injects": [kind or "not named" for kind in injects],
        "flows": [{"flow": flow, "cells": [_cell(by_place[flow, kind]) for kind in injects]} for flow in flows],
    }


def _cell(cell: Facts) -> dict[str, Any] | None:
    if not cell["drills"]:
        return None
    simulated = ", simulated" if cell["engine"] == "simulated" else ""
    note = f"{views.day(cell['last_at'])}, {counted(cell['drills'], 'drill')}{simulated}"
    return {**badge(cell["last_verdict"]), "note": note}


def _item(item: Facts) -> dict[str, Any]:
    where = " / ".join(filter(None, (item["flow"], item["inject"], item["platform"])))
    return {**badge(item["verdict"]), **item, "where": where, "check": readable(item["check"])}


def _pair(pair: Facts) -> dict[str, Any]:
    differs = [f"{item['platform']}: {views.difference_text(item)}" for item in pair["differs"]]
    return {"flow": pair["flow"], "inject": pair["inject"], "sides": views.side_rows(pair), "differs": differs}


def _drill(drill: Facts) -> dict[str, Any]:
    recovery = drill["measures"][0]
    return {
        **badge(drill["verdict"]),
        "drill": drill["drill"],
        "date": views.day(drill["occurred_at"]),
        "flow": drill["flow"],
        "inject": drill["inject"] or "not named",
        "platform": (drill["platform"]["name"] or "not named")
        + (" (simulated)" if drill["engine"] == "simulated" else ""),
        "rta": views.seconds_span(recovery["low"], recovery["high"]),
        "rto": f"{number(drill['rto_seconds'])} s",
        "load": number(drill["load_records_per_second"]),
        "cost": views.cost_text(drill["costs"]),
    }


def _more(count: int, noun: str, nouns: str) -> str:
    return f"{counted(count, noun, nouns)} more: rto compare --json or --csv has them all" if count > 0 else ""
