"""Time as charts show it: minutes and seconds since the clock start, and the instants that matter as marks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from rtoanalytics.charts.style import color, is_narrow, source

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_TOP, _MARK_ROW = -38, 15
"""Pixels: where the label of the first mark stands above the plot, and how far below it the next one stands."""


@dataclass(frozen=True)
class Moments:
    """The instants that charts are read against. `zero` is the clock start, else the start of the capture."""

    zero: datetime
    clock_started_at: datetime | None = None
    impact_at: datetime | None = None
    restored_at: datetime | None = None

    def seconds(self, instant: datetime) -> float:
        """Seconds since zero."""
        return (instant - self.zero).total_seconds()

    def marks(self) -> dict[str, float]:
        """The known instants by name, in seconds since zero."""
        named = {"clock start": self.clock_started_at, "impact": self.impact_at, "restored": self.restored_at}
        return {name: self.seconds(instant) for name, instant in named.items() if instant is not None}

    @property
    def axis_title(self) -> str:
        """What the time axis counts from."""
        return "time since clock start" if self.clock_started_at else "time since the capture began"


def moments_of(scorecard: Mapping[str, Any]) -> Moments:
    """The moments of a scorecard. A drill without any instant counts from the epoch."""
    recovery = scorecard["recovery"]
    clock = instant(recovery["clock_started_at"])
    began = instant(scorecard["drill"]["started_at"]) or instant("1970-01-01T00:00:00Z")
    zero = clock or began
    assert zero is not None  # noqa: S101  (the epoch is an instant)
    return Moments(zero, clock, instant(recovery["impact_at"]), instant(recovery["restored_at"]))


def instant(text: str | None) -> datetime | None:
    """An instant as scorecard.json writes it."""
    return None if text is None else datetime.fromisoformat(text)


def with_elapsed(frame: pl.DataFrame, moments: Moments, **columns: str) -> pl.DataFrame:
    """The frame with, for each `new=instant column`, seconds since zero."""
    return frame.with_columns(
        ((pl.col(old) - moments.zero).dt.total_microseconds() / 1_000_000).alias(new) for new, old in columns.items()
    )


def elapsed_x(field: str, moments: Moments, low: float, high: float, width: int) -> alt.X:
    """A time axis from `low` to `high` seconds since zero, labeled at round times."""
    high = max(high, low + 1e-3)
    return alt.X(
        f"{field}:Q",
        title=f"{moments.axis_title} ({'h:min:s' if _has_hours(low, high) else 'min:s'})",
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(values=ticks(low, high, 4 if is_narrow(width) else 9), labelExpr=_label(low, high), grid=False),
    )


def ticks(low: float, high: float, at_most: int) -> list[float]:
    """Round times between two, at most so many.

    >>> ticks(-30, 150, 7)
    [-30, 0, 30, 60, 90, 120, 150]
    """
    step = next((step for step in _STEPS if (high - low) / step <= at_most), (high - low) / at_most)
    first = -int(-low // step)
    last = int(high // step)
    return [round(number * step, 6) for number in range(first, last + 1)]


def mark_layers(moments: Moments, low: float, high: float) -> list[alt.Chart]:
    """Clock start, impact and restored as upright lines with their names above the plot, one row each."""
    marks = [mark for mark in enumerate(moments.marks().items()) if low <= mark[1][1] <= high]
    return [layer for row, (name, seconds) in marks for layer in _mark(name, seconds, _TOP + _MARK_ROW * row)]


def clock_text(seconds: float) -> str:
    """Seconds since the clock start, as the axes write them.

    >>> clock_text(-75.5), clock_text(41), clock_text(3661)
    ('−1:15.5', '0:41', '1:01:01')
    """
    sign, rest = ("−" if seconds < 0 else ""), round(abs(seconds), 3)
    whole, part = int(rest), f"{rest % 1:.3f}"[1:].rstrip("0").rstrip(".")
    if whole < 3600:  # noqa: PLR2004
        return f"{sign}{whole // 60}:{whole % 60:02}{part}"
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}{part}"


def _mark(name: str, seconds: float, label_y: float) -> list[alt.Chart]:
    """A line through the plot and up to its name."""
    base = alt.Chart(source([{"mark_seconds": seconds, "mark": name}])).encode(x="mark_seconds:Q")
    line = base.mark_rule(color=color("muted"), strokeDash=[3, 3])
    label = base.mark_text(align="left", dx=4, fontSize=12, color=color("ink"))
    return [
        line,
        line.encode(y=alt.value(label_y - 5), y2=alt.value(0)),
        label.encode(text="mark:N", y=alt.value(label_y)),
    ]


def _has_hours(low: float, high: float) -> bool:
    return max(abs(low), abs(high)) >= 3600  # noqa: PLR2004


def _label(low: float, high: float) -> str:
    value = "abs(datum.value)"
    second = f"format({value} % 60, '02')" if high - low > 2 else f"format({value} % 60, '04.1f')"  # noqa: PLR2004
    minute = f"floor({value} / 60)"
    if _has_hours(low, high):
        minute = f"floor({value} / 3600) + ':' + format(floor({value} / 60) % 60, '02')"
    return f"(datum.value < 0 ? '−' : '') + {minute} + ':' + {second}"
