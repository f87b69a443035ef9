"""Quantities over time, as lines with the interval they lie in, and the strip on which a stretch of time is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from rtoanalytics.charts.elapsed import Moments, elapsed_x, mark_layers, with_elapsed
from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source
from rtoanalytics.charts.thinning import points_for, thinned, thinning_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BRUSH = "chosen_time"
"""Name of the selection on the strip of `time_strip`: an interval of `elapsed_seconds`."""
_LARGE = 100_000
"""Axis values from which on thousands are written as k."""
MAX_BANDS = 12
"""Most phases drawn behind a line."""


@dataclass(frozen=True)
class Quantity:
    """What a line shows."""

    column: str
    title: str
    unit: str
    high_column: str | None = None
    """Column with the upper end of the interval the quantity lies in."""
    limit: float | None = None
    """A limit, drawn as a dashed line."""


@dataclass(frozen=True)
class Counts:
    """What is counted, and how it is drawn."""

    kind_column: str
    count_column: str
    time_column: str
    unit: str
    """What one count is of, such as `a second`."""
    roles: Mapping[str, str]
    """Color of each kind that is known beforehand, in the order of its row."""
    is_end: bool = False
    """Whether the instant is the end of the time that was counted over, not its beginning."""


def series(
    frame: pl.DataFrame,
    quantities: Sequence[Quantity],
    moments: Moments,
    *,
    title: str,
    width: int = WIDE,
    chosen: tuple[float, float] | None = None,
    bands: Sequence[Mapping[str, Any]] = (),
    time_column: str = "step_at",
) -> alt.LayerChart:
    """Quantities over time, each with its band where it has one; gaps where a value is not known.

    `chosen` limits the time axis, in seconds since zero; `bands` are phases with `name`, `from_seconds` and
    `until_seconds`, drawn behind the lines. At least one row.
    """
    timed = with_elapsed(frame.sort(time_column), moments, elapsed_seconds=time_column)
    if chosen:
        timed = timed.filter(pl.col("elapsed_seconds").is_between(*chosen))
    columns = [name for one in quantities for name in (one.column, one.high_column) if name]
    limit = max(2, points_for(width) // len(quantities))
    rows = thinned(timed, columns, limit).select("elapsed_seconds", *dict.fromkeys(columns))
    low, high = chosen or (_least(rows), _most(rows))
    x = elapsed_x("elapsed_seconds", moments, low, high, width)
    y_title = quantities[0].unit
    rooms, names = _phase_bands(bands, low, high)
    layers = [*rooms]
    for place, one in enumerate(quantities):
        layers += _line(rows, one, x, y_title, place, is_alone=len(quantities) == 1)
    layers += [*names, *mark_layers(moments, low, high)]
    return finished(
        layers,
        title=title,
        subtitle=thinning_note(timed.height, limit),
        description=f"Lines over time: {'; '.join(_said(rows, one) for one in quantities)}.",
        width=width,
        height=200 if is_narrow(width) else 230,
    )


def time_strip(
    frame: pl.DataFrame, column: str, moments: Moments, *, width: int = WIDE, time_column: str = "step_at"
) -> alt.LayerChart:
    """A low strip of one quantity over the whole time, with a brush named `BRUSH` to choose a stretch of it."""
    timed = with_elapsed(frame.sort(time_column), moments, elapsed_seconds=time_column)
    rows = thinned(timed, [column], points_for(width) // 4).select("elapsed_seconds", column)
    x = elapsed_x("elapsed_seconds", moments, _least(rows), _most(rows), width)
    y = alt.Y(f"{column}:Q", axis=None)
    brush = alt.selection_interval(name=BRUSH, encodings=["x"])
    area = alt.Chart(source(rows)).mark_area(interpolate="step-after", color=color("band")).encode(x=x, y=y)
    return finished(
        [area.add_params(brush)],
        title="Drag to choose a stretch of time",
        description="The whole time of the drill; drag over it to choose a stretch. The slider below does the same.",
        width=width,
        height=44,
    )


def counts_by_kind(
    frame: pl.DataFrame, counts: Counts, moments: Moments, *, title: str, width: int = WIDE
) -> alt.LayerChart:
    """How many a step, one row of bars a kind, on its own scale: a few failures beside many acks stay visible."""
    kind, roles, count_column = counts.kind_column, counts.roles, counts.count_column
    kinds = [name for name in roles if name in set(frame[kind])]
    kinds += sorted(set(frame[kind].drop_nulls()) - set(kinds))
    timed = with_elapsed(frame, moments, elapsed_seconds=counts.time_column)
    low, high = _least(timed), _most(timed)
    limit = max(2, points_for(width) // (2 * max(1, len(kinds))))
    cells = {name: _cells(timed.filter(pl.col(kind) == name), count_column, limit, low, high) for name in kinds}
    if counts.is_end:
        cells = {name: _moved_before(rows) for name, rows in cells.items()}
    start = min([low, *(min(rows["elapsed_seconds"], default=low) for rows in cells.values())])
    end = max([high, *(max(rows["until_seconds"], default=high) for rows in cells.values())])
    x = elapsed_x("elapsed_seconds", moments, start, end, width)
    y = alt.Y("kind:N", sort=kinds, title=None, axis=alt.Axis(labelColor=color("ink"), domain=False, ticks=False))
    layers: list[alt.Chart] = []
    totals = []
    for name in kinds:
        rows = cells[name]
        totals.append(f"{timed.filter(pl.col(kind) == name)[count_column].sum():,} {name}")
        top = max(rows[count_column], default=0) or 1
        drawn = rows.with_columns(
            kind=pl.lit(name), share=pl.col(count_column) / top, label=pl.lit(f"up to {top:,} {counts.unit}")
        )
        base = alt.Chart(source(drawn)).encode(y=y)
        share = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.25, 1]), legend=None)
        bars = base.mark_bar(height=20, color=color(roles.get(name, "accent")))
        layers.append(bars.encode(x=x, x2="until_seconds:Q", opacity=share))
        label = alt.Chart(source(drawn.head(1))).mark_text(align="left", fontSize=11, color=color("muted"), dy=-16)
        layers.append(label.encode(y=y, x=alt.value(0), text="label:N"))
    return finished(
        [*layers, *mark_layers(moments, start, end)],
        title=title,
        description=f"{title}: {', '.join(totals)}.",
        width=width,
        height=(ROW_HEIGHT + 18) * max(1, len(kinds)),
    )


def _moved_before(rows: pl.DataFrame) -> pl.DataFrame:
    """Cells that end where they began."""
    length = pl.col("until_seconds") - pl.col("elapsed_seconds")
    return rows.with_columns(
        elapsed_seconds=pl.col("elapsed_seconds") - length, until_seconds=pl.col("elapsed_seconds")
    )


def _cells(rows: pl.DataFrame, count: str, limit: int, low: float, high: float) -> pl.DataFrame:
    """At most `limit` cells of equal time, each with its largest count; a cell is a step long where steps fit."""
    step = rows["elapsed_seconds"].unique().sort().diff().drop_nulls().min()
    cell = max((high - low) / limit, float(step) if isinstance(step, int | float) else (high - low) / limit, 1e-3)
    if rows.height > limit:
        grouped = rows.group_by(((pl.col("elapsed_seconds") - low) / cell).floor().alias("cell"))
        rows = grouped.agg(pl.min("elapsed_seconds"), pl.max(count))
    cells = rows.select("elapsed_seconds", count, until_seconds=pl.col("elapsed_seconds") + cell)
    return cells.sort("elapsed_seconds")


def _phase_bands(
    bands: Sequence[Mapping[str, Any]], low: float, high: float
) -> tuple[list[alt.Chart], list[alt.Chart]]:
    """Phases behind the lines, every second one shaded; and their names in front, where there is room."""
    shown = [
        {
            "name": band["name"],
            "from_seconds": max(low, band["from_seconds"]),
            "until_seconds": min(high, band["until_seconds"]),
        }
        for band in bands
        if band["until_seconds"] > low and band["from_seconds"] < high and band["until_seconds"] > band["from_seconds"]
    ][:MAX_BANDS]
    if not shown:
        return [], []
    base = alt.Chart(source([{**band, "shade": place % 2} for place, band in enumerate(shown)]))
    at = alt.X("from_seconds:Q")
    shade = alt.Opacity("shade:O", scale=alt.Scale(range=[0.95, 0.45]), legend=None)
    room = base.mark_rect(color=color("track")).encode(x=at, x2="until_seconds:Q", opacity=shade)
    wide = base.transform_filter(f"datum.until_seconds - datum.from_seconds > {(high - low) * 0.07}")
    name = wide.mark_text(align="left", dx=3, fontSize=11, color=color("muted"), baseline="top")
    return [room], [name.encode(x=at, y=alt.value(3), text="name:N")]


def _line(rows: pl.DataFrame, one: Quantity, x: alt.X, unit: str, place: int, *, is_alone: bool) -> list[alt.Chart]:
    role = ("accent", "duplicated", "pass", "skipped")[place % 4]
    axis = alt.Axis(format="~s" if max(rows[one.column].drop_nulls(), default=0) >= _LARGE else ",~f", tickCount=5)
    y = alt.Y(f"{one.column}:Q", title=unit, axis=axis)
    base = alt.Chart(source(rows))
    layers: list[alt.Chart] = []
    if one.high_column:
        known = base.transform_filter(f"isValid(datum.{one.high_column}) && isValid(datum.{one.column})")
        band = known.mark_area(interpolate="step-after", color=color("band"), opacity=0.75)
        layers.append(band.encode(x=x, y=y, y2=f"{one.high_column}:Q"))
    line = base.mark_line(
        interpolate="step-after", color=color(role), strokeWidth=2, invalid="break-paths-show-domains",
        strokeDash=[1, 0] if place == 0 else [6, 3],
    )  # fmt: skip
    layers.append(line.encode(x=x, y=y))
    if not is_alone:
        known_rows = rows.filter(pl.col(one.column).is_not_null())
        last = known_rows.tail(1).with_columns(label=pl.lit(one.title))
        name = alt.Chart(source(last)).mark_text(align="right", dy=-8 - 13 * place, fontSize=12, color=color(role))
        layers.append(name.encode(x="elapsed_seconds:Q", y=f"{one.column}:Q", text="label:N"))
    if one.limit is not None:
        rule = alt.Chart(source([{"limit": one.limit}])).mark_rule(color=color("pass"), strokeDash=[6, 3])
        layers.append(rule.encode(y="limit:Q"))
    return layers


def _least(rows: pl.DataFrame) -> float:
    return float(min(rows["elapsed_seconds"], default=0.0))


def _most(rows: pl.DataFrame) -> float:
    return float(max(rows["elapsed_seconds"], default=1.0))


def _said(rows: pl.DataFrame, one: Quantity) -> str:
    known = rows[one.column].drop_nulls()
    if known.is_empty():
        return f"{one.title} is not known"
    return f"{one.title} between {min(known):,g} and {max(known):,g} {one.unit}, at the end {known[-1]:,g}"
