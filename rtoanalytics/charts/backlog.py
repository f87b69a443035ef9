"""How the backlog of a group grew and burned down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from rtoanalytics.charts.elapsed import Moments, clock_text, elapsed_x, instant, mark_layers, with_elapsed
from rtoanalytics.charts.style import WIDE, color, finished, is_narrow, source
from rtoanalytics.charts.thinning import points_for, thinned, thinning_note

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLUMNS = ("lag_records", "lag_records_high")


def burn_down(frame: pl.DataFrame, backlog: Mapping[str, Any], moments: Moments, width: int = WIDE) -> alt.LayerChart:
    """Lag of one group step by step: a line, the interval up to the next sample as a band, gaps where it is unknown.

    `frame` is burn_down.parquet; `backlog` the group's entry in the scorecard. At least one step must be the group's.
    """
    limit = points_for(width)
    steps = frame.filter(pl.col("group_id") == backlog["group_id"]).sort("step_at")
    drawn = with_elapsed(thinned(steps, list(_COLUMNS), limit), moments, elapsed_seconds="step_at")
    rows = drawn.select("elapsed_seconds", *_COLUMNS)
    low, high = min(rows["elapsed_seconds"]), max(rows["elapsed_seconds"])
    base = alt.Chart(source(rows))
    x = elapsed_x("elapsed_seconds", moments, low, high, width)
    form = "~s" if is_narrow(width) else ",d"
    y = alt.Y("lag_records:Q", title="records behind", axis=alt.Axis(format=form, tickCount=4, tickMinStep=1))
    band = base.transform_filter("isValid(datum.lag_records_high) && isValid(datum.lag_records)").mark_area(
        interpolate="step-after", color=color("band"), opacity=0.75
    )
    line = base.mark_line(
        interpolate="step-after", color=color("accent"), strokeWidth=2, invalid="break-paths-show-domains"
    )
    layers = [
        band.encode(x=x, y=y, y2="lag_records_high:Q"),
        line.encode(x=x, y=y),
        *_threshold(backlog),
        *mark_layers(moments, low, high),
        *_drained(backlog, moments),
    ]
    return finished(
        [*layers],
        title=_title(backlog, moments),
        subtitle=thinning_note(steps.height, limit),
        description=_description(backlog, moments),
        width=width,
        height=250 if is_narrow(width) else 290,
    )


def _threshold(backlog: Mapping[str, Any]) -> list[alt.Chart]:
    limit = backlog.get("threshold_records")
    if not limit:
        return []
    rule = alt.Chart(source([{"limit_records": limit}])).mark_rule(color=color("pass"), strokeDash=[6, 3])
    return [rule.encode(y="limit_records:Q")]


def _drained(backlog: Mapping[str, Any], moments: Moments) -> list[alt.Chart]:
    drained_at = instant(backlog["drained_at"])
    if drained_at is None:
        return []
    row = {"drained_seconds": moments.seconds(drained_at), "drained_records": 0, "label": "drained"}
    base = alt.Chart(source([row])).encode(x="drained_seconds:Q", y="drained_records:Q")
    return [
        base.mark_point(shape="diamond", size=80, filled=True, color=color("pass"), opacity=1),
        base.mark_text(align="left", dx=8, dy=-10, fontSize=12, color=color("pass")).encode(text="label:N"),
    ]


def _title(backlog: Mapping[str, Any], moments: Moments) -> str:
    peak, seconds = backlog["peak_lag_records"], backlog["drain_seconds"]
    if peak is None:
        return f"{backlog['group_id']}: records behind"
    if backlog["drained_at"] is None:
        return f"{backlog['group_id']}: peak of {peak:,} records, not drained"
    if not seconds:
        return f"{backlog['group_id']}: at most {peak:,} records behind"
    peak_at = instant(backlog["peak_at"])
    place = f" at {clock_text(moments.seconds(peak_at))}" if peak_at else ""
    return f"{backlog['group_id']}: peak of {peak:,} records{place}, drained {seconds:,.0f} s later"


def _description(backlog: Mapping[str, Any], moments: Moments) -> str:
    marks = ", ".join(f"{name} at {clock_text(seconds)}" for name, seconds in moments.marks().items())
    final = backlog["final_lag_records"]
    ended = "" if final is None else f" It ended {final:,} records behind."
    return f"Line of total lag over time. {_title(backlog, moments)}.{ended}" + (f" Marks: {marks}." if marks else "")
