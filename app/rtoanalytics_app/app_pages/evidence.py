"""Evidence: what was captured when, with its holes; clocks, seal, and what could not be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import streamlit as st

from rtoanalytics import charts
from rtoanalytics.charts.elapsed import clock_text, moments_of
from rtoanalytics.report import view
from rtoanalytics.report.wording import number, quantity
from rtoanalytics.seal import verify_bundle
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, offer_table, show_chart
from rtoanalytics_app.reading import frame

if TYPE_CHECKING:
    from typing import Any

    from rtoanalytics.charts import Moments
    from rtoanalytics_app.entries import Entry

_COVERAGE = (
    Column("table", "Table"),
    Column("collector", "Collector"),
    Column("verdict", "Verdict"),
    Column("rows", "Rows", is_number=True),
    Column("first", "First row", is_number=True),
    Column("last", "Last row", is_number=True),
    Column("holes", "Holes", is_number=True),
    Column("longest", "Longest", is_number=True),
    Column("clock", "Clock offset", is_number=True),
    Column("error", "± error", is_number=True),
)
_GAPS = (
    Column("table_name", "Table"),
    Column("collector", "Collector"),
    Column("target", "Target"),
    Column("from", "From", is_number=True),
    Column("until", "Until", is_number=True),
    Column("length", "Length", is_number=True),
)
_UNJUDGED = (
    Column("verdict", "Verdict"),
    Column("area", "Row"),
    Column("name", "Check", is_head=True),
    Column("reason", "Why", style="why"),
)
_SEALS = {
    "sealed": ("pass", "Sealed", "every file was as it was when the bundle was sealed"),
    "altered": ("fail", "Altered", "files differ from what was sealed"),
    "unsealed": ("inconclusive", "Not sealed", "files could still change unnoticed (rto seal)"),
}
_MAX_GAPS = 200


def show_page(entry: Entry) -> None:
    """Can what the other pages say be trusted, and how far?"""
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    moments = moments_of(scorecard)
    coverage, gaps = frame(entry, "coverage"), frame(entry, "coverage_gaps")
    show("title", "Coverage", "coverage")
    if coverage.is_empty():
        show("empty", "Nothing was captured.")
    else:
        _coverage(entry, coverage, gaps, moments)
    _seal(entry, scorecard)
    show("title", "What could not be judged, and why", "not-judged")
    unjudged = view.not_judged(view.row_views(scorecard))
    open_ones = [row for row in unjudged if row["verdict"] == "inconclusive"]
    if open_ones:
        show_table("Checks that the evidence does not settle", _UNJUDGED, open_ones, is_caption_hidden=True)
    else:
        show("empty", "The evidence settles every check that was asked for.")
    if len(unjudged) > len(open_ones):
        with st.expander("Reported only: no limit was set, or the cluster cannot show it"):
            reported = [row for row in unjudged if row["verdict"] != "inconclusive"]
            show_table("Checks that are reported only", _UNJUDGED, reported, is_caption_hidden=True)
    if unjudged:
        plain = [{**row, "evidence": ", ".join(row["evidence"])} for row in unjudged]
        offer_table(plain, file_name(entry.key, "not-judged"))
    show("title", "Definition", "definition")
    show("facts", view.facts(scorecard))


def _coverage(entry: Entry, coverage: pl.DataFrame, gaps: pl.DataFrame, moments: Moments) -> None:
    if coverage.select(pl.any_horizontal(pl.col("first_heartbeat_at", "first_row_at").is_not_null()).any()).item():
        holes = gaps.filter(pl.col("kind") == "hole")
        show_chart(charts.coverage(coverage, moments, holes=holes), file_name(entry.key, "coverage"))
        if not holes.is_empty():
            _holes(entry, holes, moments)
    ordered = coverage.sort("table_name", "collector", "target", nulls_last=True)
    errors = [quantity(error, "milliseconds") for error in ordered["clock_error_ms"]]
    rows = [{**row, "error": error} for row, error in zip(view.coverage_rows(coverage, moments), errors, strict=True)]
    show_table("How each table was captured", _COVERAGE, rows, is_caption_hidden=True)
    offer_table(coverage, file_name(entry.key, "coverage-table"))


def _holes(entry: Entry, holes: pl.DataFrame, moments: Moments) -> None:
    show("chart_title", "Holes: stretches without a sign of life", "")
    rows = [_hole(row, moments) for row in holes.sort("from_at", "table_name").head(_MAX_GAPS).to_dicts()]
    show_table("Holes in the capture", _GAPS, rows, is_caption_hidden=True)
    offer_table(holes, file_name(entry.key, "coverage_gaps"))


def _hole(row: dict[str, Any], moments: Moments) -> dict[str, Any]:
    low, high = moments.seconds(row["from_at"]), moments.seconds(row["until_at"])
    return {
        **row,
        "collector": row["collector"] or "—",
        "target": row["target"] or "everything",
        "from": clock_text(low),
        "until": clock_text(high),
        "length": f"{number(round(high - low, 3))} s",
    }


def _seal(entry: Entry, scorecard: dict[str, Any]) -> None:
    show("title", "Seal", "seal")
    verdict, word, note = _SEALS.get(str(scorecard["drill"].get("seal")), ("not_applicable", "Not known", ""))
    show("tiles", [{"name": "When it was analyzed", "value": word, "note": note, "verdict": verdict}])
    if st.button("Verify now", key=f"verify-{entry.key}", help="Reads every byte of the bundle"):
        with st.spinner("Comparing every file with manifest.json"):
            problems = verify_bundle(entry.root)
        if problems:
            show("problem", "The bundle is not what was sealed.", [str(problem) for problem in problems], "")
        else:
            show("note", "Every file is as it was when the bundle was sealed.")
