"""When each table was being captured."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from rtoanalytics.charts.elapsed import Moments, elapsed_x, mark_layers, with_elapsed
from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source

MAX_ROWS = 60
"""Most collectors one chart lists; incomplete ones first."""
MAX_HOLES = 2_000
"""Most holes one chart draws: the longest."""


def coverage(
    frame: pl.DataFrame, moments: Moments, width: int = WIDE, *, holes: pl.DataFrame | None = None
) -> alt.LayerChart:
    """From the first to the last sign of life of each collector; a row without heartbeats shows its rows instead.

    `frame` is coverage.parquet with at least one row that has an instant; `holes` are the rows of kind `hole` of
    coverage_gaps.parquet, drawn where they lie.
    """
    spans = frame.with_columns(
        from_at=pl.coalesce("first_heartbeat_at", "first_row_at"),
        until_at=pl.coalesce("last_heartbeat_at", "last_row_at"),
        series=_series(),
        judgment=_judgment(),
    ).filter(pl.col("from_at").is_not_null())
    ordered = (
        spans.sort("is_complete", "table_name", "series", nulls_last=True).head(MAX_ROWS).sort("table_name", "series")
    )
    placed = with_elapsed(ordered, moments, from_seconds="from_at", until_seconds="until_at")
    rows = placed.select("series", "judgment", "from_seconds", "until_seconds", label=_label())
    low, high = min(rows["from_seconds"]), max(rows["until_seconds"])
    room = (high - low) * 0.02 or 0.5
    x = elapsed_x("from_seconds", moments, low - room, high + room, width)
    y = alt.Y(
        "series:N",
        sort=rows["series"].to_list(),
        title=None,
        axis=alt.Axis(labelColor=color("ink"), domain=False, ticks=False, labelLimit=110 if is_narrow(width) else 260),
    )
    base = alt.Chart(source(rows)).encode(y=y)
    labels = base.mark_text(align="left", dx=6, dy=1, fontSize=11, color=color("on_status")).encode(x=x, text="label:N")
    return finished(
        [
            base.mark_bar(height=13, cornerRadius=2).encode(x=x, x2="until_seconds:Q", color=_color()),
            *_hole_bars(holes, placed, moments, x, y),
            labels,
            *mark_layers(moments, low - room, high + room),
        ],
        title="What was being captured when",
        description=f"Bands over time, one a collector. {_sentence(placed.to_dicts())}",
        width=width,
        height=ROW_HEIGHT * rows.height,
    )


def _hole_bars(
    holes: pl.DataFrame | None, placed: pl.DataFrame, moments: Moments, x: alt.X, y: alt.Y
) -> list[alt.Chart]:
    """Holes in the bars of their collectors: taller and dark, so that color is not needed to see them."""
    if holes is None or holes.is_empty():
        return []
    timed = with_elapsed(holes, moments, from_seconds="from_at", until_seconds="until_at").with_columns(
        target=pl.when(pl.col("target") == "").then(None).otherwise(pl.col("target"))
    )
    keys = ["table_name", "collector", "target"]
    named = timed.join(placed.select(*keys, "series"), on=keys, how="inner", nulls_equal=True)
    longest = named.sort(pl.col("until_seconds") - pl.col("from_seconds"), descending=True).head(MAX_HOLES)
    rows = longest.select("series", "from_seconds", "until_seconds").sort("series", "from_seconds")
    if rows.is_empty():
        return []
    bars = alt.Chart(source(rows)).mark_bar(height=19, color=color("fail")).encode(x=x, x2="until_seconds:Q", y=y)
    return [bars]


def _series() -> pl.Expr:
    """Table, and what its collector watches where it says so."""
    named = pl.concat_str("table_name", "target", separator=" · ", ignore_nulls=True)
    own = (pl.col("collector") == pl.col("table_name")) | pl.col("collector").is_null()
    return pl.when(own).then(named).otherwise(pl.concat_str(named, pl.lit(" ("), "collector", pl.lit(")")))


def _judgment() -> pl.Expr:
    return (
        pl.when(pl.col("collector").is_null())
        .then(pl.lit("rows only, no heartbeats"))
        .when(pl.col("is_complete"))
        .then(pl.lit("complete"))
        .otherwise(pl.lit("incomplete"))
    )


def _label() -> pl.Expr:
    noun = pl.when(pl.col("holes") == 1).then(pl.lit("hole")).otherwise(pl.lit("holes"))
    holes = pl.format("{} {}, longest {} s", "holes", noun, pl.col("longest_hole_seconds").round(1))
    return pl.when(pl.col("holes") > 0).then(holes).otherwise(pl.lit(""))


def _color() -> alt.Color:
    roles = {"complete": "good", "incomplete": "inconclusive", "rows only, no heartbeats": "not_applicable"}
    return alt.Color("judgment:N", scale=alt.Scale(domain=list(roles), range=[color(role) for role in roles.values()]))


def _sentence(rows: list[dict[str, Any]]) -> str:
    incomplete = [row["series"] for row in rows if row["judgment"] == "incomplete"]
    return f"Incomplete: {', '.join(incomplete)}." if incomplete else "Every collector was complete."
