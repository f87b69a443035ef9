"""The backlog: how lag grew and burned down, in records and in seconds, with the phases of recovery behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl
import streamlit as st

from rtoanalytics import charts
from rtoanalytics.charts import BRUSH, Quantity
from rtoanalytics.charts.elapsed import clock_text, moments_of, with_elapsed
from rtoanalytics.charts.recovery import phase_bands
from rtoanalytics.report import view
from rtoanalytics.report.wording import number, seconds
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, is_dark, offer_table, show_chart, show_frame
from rtoanalytics_app.reading import frame, lag_places, partition_lag

if TYPE_CHECKING:
    from typing import Any

    from rtoanalytics.charts import Moments
    from rtoanalytics_app.entries import Entry

_WHOLE = "the whole group"
_SUMMARY = (
    Column("group", "Group"),
    Column("peak", "Peak, records", is_number=True),
    Column("peak_at", "at", is_number=True),
    Column("drained_at", "Drained", is_number=True),
    Column("drain", "Took", is_number=True),
    Column("rate", "Net rate, records/s", is_number=True),
    Column("area", "Area, record·s", is_number=True),
    Column("final", "At the end, records", is_number=True),
)


def show_page(entry: Entry) -> None:
    """One group at a time: choose a stretch of time on the strip, charts and table follow."""
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    moments = moments_of(scorecard)
    totals = frame(entry, "burn_down")
    summary = view.backlog_rows(scorecard, moments)
    if totals.is_empty() or not summary:
        show("empty", "No group of the flow could be followed: commits or log ends were not captured.")
        return
    show_table("Burn-down by group", _SUMMARY, summary, is_caption_hidden=True)
    offer_table(scorecard["backlog"], file_name(entry.key, "backlog"))
    group = _chosen_group(scorecard, totals)
    place = _chosen_place(entry, group["group_id"])
    if place is None:
        steps = totals.filter(pl.col("group_id") == group["group_id"]).sort("step_at")
        name = group["group_id"]
        _forecast(group)
    else:
        steps = partition_lag(entry, group["group_id"], *place)
        name = f"{group['group_id']}, {place[0]}-{place[1]}"
    stretch = _chosen_stretch(entry, steps, moments)
    bands = phase_bands(scorecard["recovery"], moments)
    _charts(entry, steps, group if place is None else None, name, moments, stretch, bands)
    _table(entry, steps, name, moments, stretch)


def _chosen_group(scorecard: dict[str, Any], totals: pl.DataFrame) -> dict[str, Any]:
    seen = set(totals["group_id"])
    groups = {group["group_id"]: group for group in scorecard["backlog"] if group["group_id"] in seen}
    ranked = sorted(groups, key=lambda name: (-(groups[name]["peak_lag_records"] or 0), name))
    chosen = st.selectbox("Group", ranked, key="backlog-group") if len(ranked) > 1 else ranked[0]
    group: dict[str, Any] = groups[chosen or ranked[0]]
    return group


def _chosen_place(entry: Entry, group_id: str) -> tuple[str, int] | None:
    places = lag_places(entry, group_id)
    named = {f"{topic}-{partition}": (topic, partition) for topic, partition in places}
    chosen = st.selectbox("Partition", [_WHOLE, *named], key=f"backlog-place-{group_id}")
    return named.get(str(chosen))


def _forecast(group: dict[str, Any]) -> None:
    drained = group["drained_at"] is not None
    projected = "drained" if drained else f"{seconds(group['projected_seconds'])} more needed"
    last = f"{group['last_topic']}-{group['last_partition']}" if group["last_topic"] else number(None)
    stalls = group["stalls"]
    items = [
        {"name": "Arriving", "value": number(group["ingress_records_per_second"]), "note": "records/s"},
        {"name": "Committed", "value": number(group["egress_records_per_second"]), "note": "records/s"},
        {
            "name": "Stalls",
            "value": number(stalls),
            "note": f"the longest of {seconds(group['longest_stall_seconds'])}" if stalls else "10 s or more each",
        },
        {"name": "Last to drain", "value": last, "note": "" if drained else "not drained yet"},
        {
            "name": "Projection",
            "value": projected,
            "note": ""
            if drained
            else "from the rate of the last 30 s"
            if group["projected_seconds"]
            else "no progress",
        },
    ]
    show("tiles", [{**item, "verdict": ""} for item in items])


def _chosen_stretch(entry: Entry, steps: pl.DataFrame, moments: Moments) -> tuple[float, float] | None:
    """The stretch of time that was brushed, in seconds since zero; None for all of it."""
    strip = charts.time_strip(steps, "lag_records", moments)
    specification = strip.to_dict(validate=False)
    show("chart_title", specification["title"]["text"], "")
    drawn = charts.for_screen(specification, is_dark=is_dark())
    key = f"brush-{file_name(entry.key, str(steps.height))}"
    event = st.vega_lite_chart(
        spec=drawn, width="stretch", theme=None, key=key, on_select="rerun", selection_mode=BRUSH,
        alt=specification["description"],
    )  # fmt: skip
    brushed = event.get("selection", {}).get(BRUSH, {}).get("elapsed_seconds")
    if brushed and len(brushed) == 2 and brushed[0] != brushed[1]:  # noqa: PLR2004
        low, high = sorted(float(value) for value in brushed)
        return low, high
    return _slid_stretch(entry, steps, moments)


def _slid_stretch(entry: Entry, steps: pl.DataFrame, moments: Moments) -> tuple[float, float] | None:
    """The same choice for the keyboard: whole seconds since zero; None while all of it is chosen."""
    low = math.floor(moments.seconds(steps["step_at"].min()))  # type: ignore[arg-type]  # there is a step
    high = max(low + 1, math.ceil(moments.seconds(steps["step_at"].max())))  # type: ignore[arg-type]
    chosen: tuple[int, int] = st.slider(
        f"Or here, in seconds: {moments.axis_title}",
        low,
        high,
        (low, high),
        key=f"slide-{file_name(entry.key, str(low), str(high))}",
    )
    return None if chosen == (low, high) else (float(chosen[0]), float(chosen[1]))


def _charts(
    entry: Entry, steps: pl.DataFrame, group: dict[str, Any] | None, name: str, moments: Moments,
    stretch: tuple[float, float] | None, bands: list[dict[str, Any]],
) -> None:  # fmt: skip
    limit = group["threshold_records"] if group else None
    lag = Quantity("lag_records", "lag", "records behind", "lag_records_high", limit or None)
    title = f"{name}: records behind"
    show_chart(
        charts.series(steps, [lag], moments, title=title, chosen=stretch, bands=bands),
        file_name(entry.key, name, "lag"),
    )
    show(
        "note",
        "The line is the lag at each sample of the log end, the band reaches up to the lag at the next one."
        + (" Dashed: where the backlog counts as drained." if limit else ""),
    )
    if steps["lag_seconds"].drop_nulls().len():
        age = Quantity("lag_seconds", "age", "seconds behind")
        show_chart(
            charts.series(
                steps, [age], moments, title=f"{name}: age of the first record not committed", chosen=stretch
            ),
            file_name(entry.key, name, "lag-seconds"),
        )
    else:
        show("note", "Lag in seconds is not known: the records at the committed offsets were not captured.")
    if group is not None:
        rates = [
            Quantity("ingress_records_per_second", "arriving", "records/s"),
            Quantity("egress_records_per_second", "committed", "records/s"),
        ]
        show_chart(
            charts.series(steps, rates, moments, title=f"{name}: arriving and committed", chosen=stretch),
            file_name(entry.key, name, "rates"),
        )


def _table(entry: Entry, steps: pl.DataFrame, name: str, moments: Moments, stretch: tuple[float, float] | None) -> None:
    timed = with_elapsed(steps, moments, elapsed_seconds="step_at")
    if stretch:
        timed = timed.filter(pl.col("elapsed_seconds").is_between(*stretch))
    span = f" from {clock_text(round(stretch[0], 1))} to {clock_text(round(stretch[1], 1))}" if stretch else ""
    show("title", f"Step by step{span}", "steps")
    columns = {
        "step_at": "Step (UTC)", "elapsed_seconds": "Since clock start, s", "lag_records": "Lag, records",
        "lag_records_high": "at most", "lag_seconds": "Lag, s", "ingress_records_per_second": "Arriving, records/s",
        "egress_records_per_second": "Committed, records/s", "log_end_offset": "Log end",
        "committed_offset": "Committed offset", "partitions_unknown": "Partitions unknown",
    }  # fmt: skip
    known = {column: title for column, title in columns.items() if column in timed.columns}
    show_frame(timed, file_name(entry.key, name, "steps"), f"Lag of {name} step by step", columns=known, height=320)
