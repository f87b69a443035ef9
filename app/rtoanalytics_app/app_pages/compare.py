"""Compare: drills side by side, what changed, where each spent its time, and two platforms on one flow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import streamlit as st

from rtoanalytics.compare import Aspect, Question, Rule, compare_library, figures, read_library, views
from rtoanalytics.compare.html import render_html
from rtoanalytics.compare.rows import long_rows
from rtoanalytics.report import view
from rtoanalytics.report.wording import readable
from rtoanalytics.wording import counted, sentence
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, offer_table, show_chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rtoanalytics_app.entries import Entry

_ALL = "all flows"
_VERDICTS = (
    Column("verdict", "Change"),
    Column("area", "Row"),
    Column("check", "Check", is_head=True),
    Column("before", "Before"),
    Column("after", "Now"),
)
_SIDES = (
    Column("platform", "Platform"),
    Column("pattern", "Pattern"),
    Column("verdict", "Verdict"),
    Column("date", "Date"),
    Column("rta", "Recovery time", is_number=True),
    Column("rto", "Objective", is_number=True),
    Column("cost", "Monthly cost", is_number=True),
)
_APART = (
    Column("count", "Apart"),
    Column("drills", "Drills", style="why"),
    Column("from", "from", style="why"),
    Column("differs", "What differs", style="why"),
)
_OPEN = (
    Column("verdict", "Verdict"),
    Column("flow", "Flow"),
    Column("check", "Check", is_head=True),
    Column("next_action", "Next action", style="why"),
    Column("opened", "Open since", style="nowrap"),
    Column("drills", "Drills", is_number=True),
)


def show_page(entries: Sequence[Entry]) -> None:
    """Choose drills, or all of a flow; comparability first."""
    show("heading", "Compare drills", "Comparison", None)
    analyzed = [entry for entry in entries if entry.scorecard]
    if not analyzed:
        show("empty", "No analyzed drill in the library.")
        return
    chosen, across = _choice(analyzed)
    digest = ",".join(sorted(entry.digest for entry in chosen))
    roots = tuple(sorted(entry.root for entry in chosen))
    document = _document(roots, across, datetime.now(UTC).date(), digest)
    simulated = views.simulated_note(document)
    if simulated:
        show("simulated", simulated)
    for unread in document["not_read"]:
        show("problem", "A drill takes no part.", [f"{unread['bundle']}: {unread['problem']}"], "")
    series = views.shown_series(document)
    if not series:
        show("empty", "No two of these drills can be compared: what differs stands below.")
    drills = {drill["drill"]: drill for drill in document["drills"]}
    for place, one in enumerate(series):
        _series(place, one, drills)
    _platforms(document)
    _apart(document)
    _open_items(document)
    show("title", "Take it away", "downloads")
    offer_table(pl.DataFrame(long_rows(document), infer_schema_length=None), "comparison")
    st.download_button(
        "Comparison (HTML)",
        lambda: render_html(document),
        file_name="comparison.html",
        mime="text/html",
        on_click="ignore",
    )


def _choice(entries: Sequence[Entry]) -> tuple[list[Entry], tuple[str, ...]]:
    flows = sorted({_flow(entry) for entry in entries})
    left, right = st.columns([1, 2])
    with left:
        flow = st.selectbox("Flow", [_ALL, *flows], key="compare-flow") if len(flows) > 1 else _ALL
    offered = [entry for entry in entries if flow in {_ALL, _flow(entry)}]
    names = {entry.key: entry for entry in offered}
    with right:
        picked = st.multiselect("Drills", list(names), key="compare-drills", placeholder="all of them")
    across = st.multiselect(
        "Compare across", [aspect.value for aspect in Aspect], key="compare-across", placeholder="nothing that differs",
        help="Drills that differ in these are compared all the same",
    )  # fmt: skip
    return [names[name] for name in picked or names], tuple(sorted(across))


def _flow(entry: Entry) -> str:
    return str(entry.scorecard["drill"]["flow"]) if entry.scorecard else ""


@st.cache_resource(max_entries=8, show_spinner="Comparing")
def _document(roots: tuple[Path, ...], across: tuple[str, ...], as_of: date, digest: str) -> dict[str, Any]:  # noqa: ARG001
    rule = Rule(across=frozenset(map(Aspect, across)))
    return compare_library(read_library(roots), Question(as_of, rule=rule))


def _series(place: int, series: Mapping[str, Any], drills: Mapping[str, Mapping[str, Any]]) -> None:
    show("heading_two", views.series_title(series), views.outcome_view(series["outcome"]))
    show("note", sentence(series["reason"]))
    columns = views.columns_of(series, drills)
    rows = [_measure(row, columns) for row in views.measure_rows(series, columns)]
    named = [
        Column(f"cell{at}", f"{name}, {views.day(drill['occurred_at'])}", is_number=True)
        for at, (name, drill) in enumerate(columns)
    ]
    table = [
        Column("name", "Measure"),
        *named,
        Column("limit", "Limit", is_number=True),
        Column("change", "Change"),
        Column("trend", "Trend per quarter"),
    ]
    if rows:
        show_table("Measures side by side", table, rows, is_caption_hidden=True)
        offer_table(rows, f"measures-{place}")
    show("note", f"{views.quiet_note(columns)} {views.trend_note(series)}")
    of_series = [drills[name] for name in series["drills"]]
    if figures.has_recovery(of_series):
        show_chart(figures.recovery_history(of_series), file_name("recovery-history", str(place)))
    if figures.has_phases(of_series):
        show_chart(figures.phase_history(of_series), file_name("phase-history", str(place)))
    changed = views.verdict_rows(series)
    if changed:
        words = {"fail": ("✗", "worse"), "pass": ("✓", "better"), "inconclusive": ("?", "not known")}
        rows = [{**row, "symbol": words[row["verdict"]][0], "word": words[row["verdict"]][1]} for row in changed]
        show_table("Verdicts that changed since the drill before", _VERDICTS, rows)


def _measure(row: Mapping[str, Any], columns: Sequence[object]) -> dict[str, Any]:
    unit = f" ({row['unit']})" if row["unit"] else ""
    cells = {f"cell{at}": row["cells"][at] for at in range(len(columns))}
    return {
        "name": f"{row['name']}{unit}",
        **cells,
        "limit": row["limit"],
        "change": row["change"],
        "trend": row["trend"],
    }


def _platforms(document: Mapping[str, Any]) -> None:
    for place, pair in enumerate(document["platforms"]):
        show("title", f"Platforms of {pair['flow']}, {pair['inject'] or 'inject not named'}", "platforms")
        rows = views.side_rows(pair)
        show_table("Two platforms on one flow", _SIDES, rows, is_caption_hidden=True)
        if pair["differs"]:
            with st.expander(
                f"What else differs: {counted(len(pair['differs']), 'thing')}, so the platform alone explains nothing"
            ):
                for item in pair["differs"]:
                    show("note", f"{item['platform']}: {views.difference_text(item)}")
        offer_table(rows, f"platforms-{place}")


def _apart(document: Mapping[str, Any]) -> None:
    apart = views.apart_rows(document)
    if apart:
        show("title", "Not compared with the newest drill of their flow", "apart")
        with st.expander("What differs"):
            show_table("Drills that stand apart, and what differs", _APART, apart, is_caption_hidden=True)
        offer_table(apart, "apart")


def _open_items(document: Mapping[str, Any]) -> None:
    items = [item for item in document["carried"] if item["is_open"]]
    if items:
        show("title", "Findings that are still open", "open")
        rows = [
            {
                **view.badge(item["verdict"]),
                **item,
                "check": readable(item["check"]),
                "opened": views.day(item["opened_at"]),
            }
            for item in items
        ]
        show_table("Open items", _OPEN, rows, is_caption_hidden=True)
        offer_table(items, "open-items")
