"""The runbook: when each step was planned, and when it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from rtoanalytics.charts.elapsed import Moments, clock_text, elapsed_x
from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source

if TYPE_CHECKING:
    from collections.abc import Sequence


def runbook(steps: Sequence[dict[str, Any]], moments: Moments, width: int = WIDE) -> alt.LayerChart:
    """Each step as a hollow ring where it was planned and a full dot where it happened, joined by a line.

    Each of `steps`, at least one, has `step`, `planned_seconds` and `actual_seconds` (since zero; null if it was not
    seen).
    """
    times = [
        value for step in steps for value in (step["planned_seconds"], step["actual_seconds"]) if value is not None
    ]
    low, high = min(0.0, *times), max(1.0, *times)
    room = (high - low) * 0.08
    x = elapsed_x("planned_seconds", moments, low - room, high + room * 2, width)
    y = alt.Y(
        "step:N",
        sort=None,
        title=None,
        axis=alt.Axis(
            labelColor=color("ink"), domain=False, ticks=False, grid=True, labelLimit=110 if is_narrow(width) else 260
        ),
    )
    rows = [{**step, "label": _label(step)} for step in steps]
    base = alt.Chart(source(rows)).encode(y=y)
    seen = base.transform_filter("isValid(datum.actual_seconds)")
    return finished(
        [
            seen.mark_rule(strokeWidth=2, color=color("muted")).encode(x=x, x2="actual_seconds:Q"),
            base.mark_point(size=110, filled=False, strokeWidth=2, color=color("muted"), opacity=1).encode(x=x),
            seen.mark_point(size=70, filled=True, color=color("accent"), opacity=1).encode(x="actual_seconds:Q"),
            base.transform_calculate(label_seconds="max(datum.planned_seconds, datum.actual_seconds)")
            .mark_text(align="left", dx=11, fontSize=12, color=color("ink"))
            .encode(x="label_seconds:Q", text="label:N"),
        ],
        title="Runbook: planned (ring) and actual (dot)",
        description=f"Planned and actual time of each step. {'; '.join(_sentence(row) for row in rows)}.",
        width=width,
        height=ROW_HEIGHT * len(rows),
    )


def _label(step: dict[str, Any]) -> str:
    """How far from the plan; whether that is too late depends on the step's tolerance, which the scorecard judges."""
    if step["actual_seconds"] is None:
        return "not seen"
    distance = round(step["actual_seconds"] - step["planned_seconds"], 1)
    return "as planned" if distance == 0 else f"{'+' if distance > 0 else '−'}{abs(distance):g} s"


def _sentence(step: dict[str, Any]) -> str:
    return f"{step['step']} planned at {clock_text(step['planned_seconds'])}, {step['label']}"
