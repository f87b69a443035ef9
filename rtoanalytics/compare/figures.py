"""Charts of a series: recovery time of each drill beside its objective, and where each drill spent its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source
from rtoanalytics.compare.views import day, seconds_span
from rtoanalytics.report.wording import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Drills = Sequence[Mapping[str, Any]]

MAX_DRILLS = 24
"""Most drills in one chart: the newest."""
_PHASE_ROLES = (
    "unresolved", "band", "pending", "skipped", "inconclusive", "duplicated", "good", "pass", "accent", "muted",
)  # fmt: skip


def recovery_history(drills: Drills, width: int = WIDE) -> alt.LayerChart:
    """Recovery time of each drill, oldest on top: solid up to its lower bound, pale up to the upper one.

    An arrow stands where there is no upper bound, an upright line at the objective. At least one drill must have a
    recovery time.
    """
    shown = list(drills)[-MAX_DRILLS:]
    rows = [_recovery_row(drill) for drill in shown]
    bounds = [value for row in rows for value in (row["low"], row["high"], row["rto"]) if value is not None]
    farthest = max(1.0, *bounds)
    end, open_end = farthest * 1.35, farthest * 1.15
    known = [row for row in rows if row["low"] is not None]
    x, y = _seconds_axis("low:Q", end, width), _rows_axis(shown, width)
    sure = [
        _bars([row for row in known if row["verdict"] == verdict], x, y, 0, "low", verdict, 1.0)
        for verdict in ("pass", "fail", "inconclusive")
    ]
    open_ones = [{**row, "high": open_end} for row in known if row["high"] is None]
    unsure = [
        _bars(
            [row for row in (*known, *open_ones) if row["verdict"] == verdict and row["high"] is not None],
            x, y, "low", "high", verdict, 0.45,
        )
        for verdict in ("pass", "fail", "inconclusive")
    ]  # fmt: skip
    arrows = alt.Chart(source([{**row, "low": open_end} for row in open_ones])).mark_point(
        shape="triangle-right", size=120, filled=True, color=color("ink"), opacity=1, xOffset=-8
    )
    base = alt.Chart(source(rows)).encode(y=y)
    objective = base.mark_tick(thickness=2, size=20, color=color("ink"), opacity=1).encode(x=alt.X("rto:Q"))
    placed = [{**row, "at": row["high"] or (0 if row["low"] is None else open_end)} for row in rows]
    labels = (
        alt.Chart(source(placed))
        .mark_text(align="left", dx=6, fontSize=12, color=color("ink"))
        .encode(x=alt.X("at:Q"), y=y, text="label:N")
    )
    layers = [*unsure, *sure, arrows.encode(x=x, y=y), objective]
    return finished(
        layers if is_narrow(width) else [*layers, labels],
        title="Recovery time of each drill",
        subtitle="solid: at least, pale: at most, upright line: the objective",
        description="Bars of recovery time, one a drill: "
        + ", ".join(f"{row['drill']} {row['label']}" for row in rows)
        + ".",
        width=width,
        height=ROW_HEIGHT * len(rows),
    )


def phase_history(drills: Drills, width: int = WIDE) -> alt.LayerChart:
    """Where each drill spent its time: the phases one after the other, oldest drill on top.

    At least one phase of one drill must have taken time.
    """
    shown = list(drills)[-MAX_DRILLS:]
    names = list(dict.fromkeys(phase["name"] for drill in shown for phase in drill["phases"] if phase["seconds"]))
    rows = [row for drill in shown for row in _phase_rows(drill)]
    end = max(1.0, *(row["until_seconds"] for row in rows)) * 1.05
    scale = alt.Scale(
        domain=[readable(name) for name in names],
        range=[color(_PHASE_ROLES[place % len(_PHASE_ROLES)]) for place in range(len(names))],
    )
    legend = alt.Legend(columns=3 if is_narrow(width) else 0, labelLimit=110)
    bars = (
        alt.Chart(source(rows))
        .mark_bar(height=16, stroke=color("on_status"), strokeWidth=1)
        .encode(
            x=_seconds_axis("from_seconds:Q", end, width),
            x2="until_seconds:Q",
            y=_rows_axis(shown, width),
            color=alt.Color("phase:N", scale=scale, legend=legend),
        )
    )
    listed = "; ".join(
        f"{drill['drill']}: " + ", ".join(f"{row['phase']} {row['seconds']:,g} s" for row in _phase_rows(drill))
        for drill in shown
    )
    return finished(
        [bars],
        title="Where each drill spent its time",
        subtitle="seconds of each phase, one after the other",
        description=f"Stacked bars of seconds, one a drill: {listed}.",
        width=width,
        height=ROW_HEIGHT * len(shown),
    )


def has_recovery(drills: Drills) -> bool:
    """Whether there is anything for `recovery_history` to draw."""
    return any(_recovery(drill)["low"] is not None for drill in list(drills)[-MAX_DRILLS:])


def has_phases(drills: Drills) -> bool:
    """Whether there is anything for `phase_history` to draw."""
    return any(phase["seconds"] for drill in list(drills)[-MAX_DRILLS:] for phase in drill["phases"])


def _recovery(drill: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = drill["measures"][0]
    return found


def _recovery_row(drill: Mapping[str, Any]) -> dict[str, Any]:
    value = _recovery(drill)
    return {
        "drill": _name(drill),
        "low": value["low"],
        "high": value["high"],
        "rto": drill["rto_seconds"],
        "verdict": value["verdict"],
        "label": seconds_span(value["low"], value["high"]),
    }


def _phase_rows(drill: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows, until = [], 0.0
    for phase in drill["phases"]:
        if phase["seconds"]:
            start, until = until, round(until + phase["seconds"], 6)
            rows.append(
                {
                    "drill": _name(drill),
                    "phase": readable(phase["name"]),
                    "seconds": phase["seconds"],
                    "from_seconds": start,
                    "until_seconds": until,
                }
            )
    return rows


def _bars(
    rows: list[dict[str, Any]], x: alt.X, y: alt.Y, start: float | str, end: str, role: str, opacity: float
) -> alt.Chart:
    """Bars from one column (or number) to another."""
    values = [
        {"drill": row["drill"], "low": row[start] if isinstance(start, str) else start, "until": row[end]}
        for row in rows
    ]
    chart = alt.Chart(source(values)).mark_bar(height=14, color=color(role), opacity=opacity, cornerRadius=2)
    bars: alt.Chart = chart.encode(x=x, x2="until:Q", y=y)
    return bars


def _seconds_axis(field: str, end: float, width: int) -> alt.X:
    return alt.X(
        field,
        title="seconds since clock start",
        scale=alt.Scale(domain=[0, end], nice=False),
        axis=alt.Axis(grid=False, tickCount=4 if is_narrow(width) else 8, format=",~f"),
    )


def _rows_axis(drills: Drills, width: int) -> alt.Y:
    return alt.Y(
        "drill:N",
        sort=[_name(drill) for drill in drills],
        title=None,
        axis=alt.Axis(labelColor=color("ink"), domain=False, ticks=False, labelLimit=120 if is_narrow(width) else 260),
    )


def _name(drill: Mapping[str, Any]) -> str:
    return f"{day(drill['occurred_at'])} {drill['drill']}"
