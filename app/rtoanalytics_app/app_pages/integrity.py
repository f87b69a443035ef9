"""Integrity: every record has one fate; where the wrong ones lie, and which records they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import streamlit as st

from rtoanalytics import charts
from rtoanalytics.charts.elapsed import moments_of
from rtoanalytics.range_records import MAX_RECORDS, OffsetRange, records_in_range
from rtoanalytics.report import view
from rtoanalytics.report.wording import balances, number
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, show_chart, show_frame
from rtoanalytics_app.reading import frame

if TYPE_CHECKING:
    from typing import Any

    from rtoanalytics.charts import Moments
    from rtoanalytics_app.entries import Entry

_FATES = (
    "acked",
    "once",
    "duplicated",
    "lost",
    "skipped",
    "pending",
    "filtered",
    "unresolved",
    "log_missing",
    "overwritten",
)
_EFFECTS = ("applied", "distinct_applied", "extra", "unacked", "before_capture", "reordered", "produced_twice")
_MAX_MAPS = 8


def show_page(entry: Entry) -> None:
    """The ledger, the map, the ranges, the records."""
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    moments = moments_of(scorecard)
    _ledger(entry, scorecard)
    findings = frame(entry, "findings")
    show("title", "Findings", "findings")
    if findings.is_empty():
        show("empty", "No range of offsets needs a second look.")
        return
    _maps(entry, findings, moments)
    _ranges(entry, findings)


def _ledger(entry: Entry, scorecard: dict[str, Any]) -> None:
    show("title", "Ledger", "ledger")
    show("note", "Every acknowledged record has exactly one fate in each downstream, and every applied row one reason.")
    downstreams = view.ledger_by_downstream(scorecard)
    captions = ("What became of acknowledged records", "What was applied")
    for (words, numbers, holds), names, caption in zip(
        balances(scorecard["totals"]), (_FATES, _EFFECTS), captions, strict=True
    ):
        show("equation", words, numbers, holds)
        if downstreams:
            columns = [
                Column("place", "Downstream"),
                *(Column(name, name.replace("_", " "), is_number=True) for name in names),
            ]
            rows = [
                {name: value if name == "place" else number(value) for name, value in row.items()}
                for row in downstreams
            ]
            show_table(caption, columns, rows, is_caption_hidden=True)
    ledger = frame(entry, "ledger")
    if ledger.is_empty():
        show("empty", "The drill names no downstream, or no record was acknowledged.")
        return
    with st.expander("By partition"):
        show_frame(ledger, file_name(entry.key, "ledger"), "The ledger by partition")


def _maps(entry: Entry, findings: pl.DataFrame, moments: Moments) -> None:
    runs = findings.filter((pl.col("kind") == "run") & pl.col("first_acked_at").is_not_null())
    totals = runs.group_by("downstream").agg(pl.sum("records")).sort("records", "downstream", descending=[True, False])
    for name in totals["downstream"].head(_MAX_MAPS):
        chart = charts.findings_map(runs.filter(pl.col("downstream") == name), moments)
        show_chart(chart, file_name(entry.key, str(name), "findings"))


def _ranges(entry: Entry, findings: pl.DataFrame) -> None:
    columns = {
        "kind": "Kind", "fate": "Fate", "downstream": "Downstream", "group_id": "Group", "cluster": "Cluster",
        "topic": "Topic", "partition": "Partition", "start_offset": "From offset", "end_offset": "to (exclusive)",
        "records": "Records", "max_applied": "Times applied", "first_acked_at": "First acked (UTC)",
        "last_acked_at": "Last acked (UTC)", "occurred_at": "Committed (UTC)", "regained_at": "Regained (UTC)",
    }  # fmt: skip
    ranked = view.worst_first(findings)
    show("title", "Offset ranges, worst first", "ranges")
    show_frame(ranked, file_name(entry.key, "findings"), "Findings as offset ranges, worst first", columns=columns)
    ranges = ranked.filter(pl.col("start_offset").is_not_null() & pl.col("partition").is_not_null()).to_dicts()
    if ranges:
        _records(entry, ranges[:MAX_RECORDS])


def _records(entry: Entry, ranges: list[dict[str, Any]]) -> None:
    """From a range to its very records, read from the evidence only when asked."""
    show("title", "Records of a range", "records")
    chosen = st.selectbox(
        "Range", range(len(ranges)), index=None, format_func=lambda place: _named(ranges[place]), key="range",
        placeholder="choose a range to read its records",
    )  # fmt: skip
    if chosen is None:
        return
    row = ranges[chosen]
    offsets = OffsetRange(
        row["downstream"], row["cluster"], row["topic"], row["partition"], row["start_offset"], row["end_offset"]
    )
    with st.spinner("Reading the range from the evidence"):
        records = records_in_range(entry.root, offsets)
    if records.is_empty():
        show("empty", "No acknowledged record of this range is in the evidence.")
        return
    if (row["records"] or 0) > records.height:
        show("note", f"The first {records.height:,} of {row['records']:,} records.")
    show_frame(records, file_name(entry.key, "records", _named(row)), "Records of the range")


def _named(row: dict[str, Any]) -> str:
    what = row["fate"] or row["kind"].replace("_", " ")
    who = row["downstream"] or row["group_id"] or ""
    return f"{what}: {who} {row['topic']}-{row['partition']}, offsets {row['start_offset']} to {row['end_offset']}"
