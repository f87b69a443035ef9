"""How long recovery took, which condition held it back, and what each phase cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from rtoanalytics.charts.elapsed import Moments, elapsed_x, instant, mark_layers, with_elapsed
from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source
from rtoanalytics.charts.thinning import points_for

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATES = {"good": ("good", 5), "unknown": ("inconclusive", 11), "bad": ("fail", 18)}
"""Color and height of each state: what is worse stands higher, so that color is not needed to tell them apart."""


def rta_interval(recovery: Mapping[str, Any], width: int = WIDE) -> alt.LayerChart:
    """Recovery time actual as an interval beside the objective, in seconds since the clock start.

    Solid up to the lower bound, pale up to the upper bound, an arrow where there is none.
    """
    rto, low, high = recovery["rto_seconds"], recovery["rta_seconds_low"], recovery["rta_seconds_high"]
    farthest = max(1.0, *(value for value in (rto, low, high) if value is not None))
    end = farthest * (1.12 if low is None or high is not None else 1.25)
    x = alt.X(
        "from_seconds:Q",
        title="seconds since clock start",
        scale=alt.Scale(domain=[0, end], nice=False),
        axis=alt.Axis(grid=False, tickCount=4 if is_narrow(width) else 8, format=",~f"),
    )
    layers = [_bar(0, end, "track", x), *_interval_bars(recovery, end, x), *_objective(rto, x)]
    return finished(
        [*layers],
        title=interval_text(recovery),
        description=f"Bar of recovery time against the objective. {interval_text(recovery)}",
        width=width,
        height=34,
    )


def interval_text(recovery: Mapping[str, Any]) -> str:
    """Recovery time actual against its objective, as one sentence.

    >>> interval_text({"rto_seconds": 120, "rta_seconds_low": 39.0, "rta_seconds_high": 41.0, "outcome": "restored"})
    'Restored 39 to 41 s after the clock start; the objective is 120 s.'
    """
    rto, low, high = recovery["rto_seconds"], recovery["rta_seconds_low"], recovery["rta_seconds_high"]
    objective = f"the objective is {_seconds(rto)} s."
    if recovery["outcome"] == "no_impact":
        return f"No condition was ever broken; {objective}"
    if low is None:
        return f"Recovery time is not known; {objective}"
    if high is None:
        return f"Not restored within the capture, {_seconds(low)} s or more after the clock start; {objective}"
    span = _seconds(high) if low == high else f"{_seconds(low)} to {_seconds(high)}"
    return f"Restored {span} s after the clock start; {objective}"


def phases(recovery: Mapping[str, Any], moments: Moments, width: int = WIDE) -> alt.LayerChart:
    """Each phase as a band that ends when the phase ended and is as long as it took, with its seconds.

    Phases that nobody saw are left out. At least one must be known.
    """
    rows = [_phase(phase, moments) for phase in recovery["phases"] if phase["at"] is not None]
    low = min(0.0, *(row["from_seconds"] for row in rows))
    high = max(1.0, *(row["until_seconds"] for row in rows)) * 1.12
    base = alt.Chart(source(rows)).encode(
        y=alt.Y("phase:N", sort=None, title=None, axis=alt.Axis(labelColor=color("ink"), domain=False, ticks=False)),
    )
    x = elapsed_x("from_seconds", moments, low, high, width)
    bands = base.mark_bar(height=14, cornerRadius=2, color=color("accent")).encode(x=x, x2="until_seconds:Q")
    ends = base.mark_tick(thickness=3, size=18, color=color("accent"), opacity=1).encode(x="until_seconds:Q")
    labels = base.mark_text(align="left", dx=7, fontSize=12, color=color("ink")).encode(
        x="until_seconds:Q", text="label:N"
    )
    listed = ", ".join(f"{row['phase']} {row['label']}" for row in rows)
    return finished(
        [bands, ends, labels],
        title="What each phase took, in seconds",
        description=f"Bands over time, one a phase: {listed}.",
        width=width,
        height=ROW_HEIGHT * len(rows),
    )


def phase_bands(recovery: Mapping[str, Any], moments: Moments) -> list[dict[str, Any]]:
    """The phases that took time, to stand behind other charts: name, from_seconds and until_seconds since zero."""
    seen = [_phase(phase, moments) for phase in recovery["phases"] if phase["at"] is not None and phase["seconds"]]
    return [
        {"name": phase["phase"], "from_seconds": phase["from_seconds"], "until_seconds": phase["until_seconds"]}
        for phase in seen
    ]


def condition_states(frame: pl.DataFrame, moments: Moments, width: int = WIDE) -> alt.LayerChart:
    """Good, bad and unknown stretches of each condition and of the service as a whole.

    `frame` is recovery.parquet with at least one row.
    """
    runs = _runs(frame)
    is_coarse = runs.height > points_for(width)
    if is_coarse:
        runs = _runs(_coarsened(frame, points_for(width) // (2 * frame["condition"].n_unique())))
    rows = with_elapsed(runs, moments, from_seconds="from_at", until_seconds="until_at")
    rows = rows.select(_condition_name().alias("condition"), "state", "from_seconds", "until_seconds")
    low, high = min(0.0, *rows["from_seconds"]), max(0.0, *rows["until_seconds"])
    x = elapsed_x("from_seconds", moments, low, high, width)
    y = alt.Y(
        "condition:N",
        sort=rows["condition"].unique(maintain_order=True).to_list(),
        title=None,
        axis=alt.Axis(labelColor=color("ink"), domain=False, ticks=False, labelLimit=110 if is_narrow(width) else 260),
    )
    bars = [
        alt.Chart(source(rows.filter(pl.col("state") == state)))
        .mark_bar(height=height)
        .encode(x=x, x2="until_seconds:Q", y=y, color=_state_color())
        for state, (_, height) in _STATES.items()
    ]
    return finished(
        [*bars, *mark_layers(moments, low, high)],
        title="Which condition held recovery back",
        subtitle="tall: bad, middle: unknown, low: good"
        + ("; the worst of each stretch is drawn" if is_coarse else ""),
        description=f"Bands over time, one row a condition. {_bad_stretches(rows)}",
        width=width,
        height=ROW_HEIGHT * rows["condition"].n_unique(),
    )


def _bar(start: float, end: float, role: str, x: alt.X, *, opacity: float = 1, height: int = 16) -> alt.Chart:
    rows = [{"from_seconds": start, "until_seconds": end}]
    chart = alt.Chart(source(rows)).mark_bar(height=height, color=color(role), opacity=opacity, cornerRadius=2)
    bar: alt.Chart = chart.encode(x=x, x2="until_seconds:Q")
    return bar


def _interval_bars(recovery: Mapping[str, Any], end: float, x: alt.X) -> list[alt.Chart]:
    low, high, role = recovery["rta_seconds_low"], recovery["rta_seconds_high"], recovery["verdict"]
    if low is None:
        return []
    sure = _bar(0, low, role, x)
    if high is None:
        arrow = alt.Chart(source([{"from_seconds": end}])).mark_point(
            shape="triangle-right", size=160, filled=True, color=color(role), opacity=1, xOffset=-8
        )
        return [_bar(low, end, role, x, opacity=0.4), sure, arrow.encode(x=x)]
    return [_bar(low, high, role, x, opacity=0.45), sure, *_edge(high, role, x)]


def _edge(seconds: float, role: str, x: alt.X) -> list[alt.Chart]:
    """An upright tick at the upper bound, so that a short interval is seen too."""
    return [
        alt.Chart(source([{"from_seconds": seconds}]))
        .mark_tick(thickness=3, size=24, color=color(role), opacity=1)
        .encode(x=x)
    ]


def _objective(rto: float, x: alt.X) -> list[alt.Chart]:
    base = alt.Chart(source([{"from_seconds": rto, "label": f"objective {_seconds(rto)} s"}])).encode(x=x)
    return [
        base.mark_rule(color=color("ink"), strokeWidth=2),
        base.mark_text(align="right", dx=4, fontSize=12, fontWeight="bold", color=color("ink")).encode(
            text="label:N", y=alt.value(-10)
        ),
    ]


def _phase(phase: Mapping[str, Any], moments: Moments) -> dict[str, Any]:
    ended_at = instant(phase["at"])
    until = moments.seconds(ended_at) if ended_at else 0.0
    took = phase["seconds"]
    label = "0 s" if not took else f"{_seconds(took)} s"
    return {
        "phase": phase["name"].replace("_", " "),
        "from_seconds": until - (took or 0),
        "until_seconds": until,
        "label": label,
    }


def _runs(frame: pl.DataFrame) -> pl.DataFrame:
    """Stretches of one state, each until the next one begins, "all" first."""
    ordered = frame.sort(pl.col("condition") != "all", "condition", "step_at")
    changed = (pl.col("state") != pl.col("state").shift()) | (pl.col("condition") != pl.col("condition").shift())
    stretches = ordered.with_columns(run=changed.fill_null(value=True).cum_sum()).group_by("run", maintain_order=True)
    runs = stretches.agg(pl.first("condition", "state"), from_at=pl.min("step_at"), last_at=pl.max("step_at"))
    following = pl.col("from_at").shift(-1).over("condition")
    return runs.with_columns(until_at=pl.coalesce(following, "last_at"))


def _coarsened(frame: pl.DataFrame, cells: int) -> pl.DataFrame:
    """The worst state of each condition in each of so many even stretches of time."""
    since_first = (pl.col("step_at") - pl.col("step_at").min()).dt.total_microseconds()
    cell = since_first * max(1, cells) // (since_first.max() + 1)
    rank = pl.col("state").replace_strict({"bad": 0, "unknown": 1, "good": 2}, return_dtype=pl.Int8)
    stretches = (
        frame.sort("step_at").with_columns(cell=cell, rank=rank).group_by("condition", "cell", maintain_order=True)
    )
    return stretches.agg(pl.col("state").sort_by("rank").first(), pl.min("step_at"))


def _condition_name() -> pl.Expr:
    return pl.when(pl.col("condition") == "all").then(pl.lit("service")).otherwise(pl.col("condition"))


def _state_color() -> alt.Color:
    domain = ["bad", "unknown", "good"]
    return alt.Color("state:N", scale=alt.Scale(domain=domain, range=[color(_STATES[state][0]) for state in domain]))


def _bad_stretches(rows: pl.DataFrame) -> str:
    bad = rows.filter(pl.col("state") == "bad").group_by("condition", maintain_order=True)
    totals = bad.agg((pl.col("until_seconds") - pl.col("from_seconds")).sum().alias("seconds")).to_dicts()
    listed = ", ".join(f"{row['condition']} bad for {_seconds(row['seconds'])} s" for row in totals)
    return f"In all: {listed}." if listed else "No condition was ever bad."


def _seconds(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")
