"""Where and when records went wrong: partition by time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from rtoanalytics.charts.elapsed import Moments, elapsed_x, mark_layers, with_elapsed
from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source
from rtoanalytics.charts.thinning import MAX_POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

FATES: Mapping[str, str] = {
    "duplicated": "circle",
    "skipped": "triangle-down",
    "lost": "cross",
    "pending": "square",
    "unresolved": "diamond",
}
"""Shape of each fate, so that color is not needed to tell them apart."""
MAX_PARTITIONS = 40
"""Most partitions one map shows: those with most records in findings."""
_MAX_CELLS = 400
"""Most stretches of time into which runs are merged; fewer where partitions and fates are many."""


def findings_map(frame: pl.DataFrame, moments: Moments, width: int = WIDE) -> alt.LayerChart:
    """Runs of records of one downstream by when they were acknowledged: one row a partition, a shape and color a fate.

    `frame` holds the rows of findings.parquet of kind `run`, at least one with a known instant.
    """
    placed = with_elapsed(frame, moments, from_seconds="first_acked_at", until_seconds="last_acked_at")
    placed = placed.filter(pl.col("from_seconds").is_not_null()).with_columns(place=_place(frame))
    rows = _merged(_busiest(placed))
    low, high = _extent(rows, moments)
    x = elapsed_x("from_seconds", moments, low, high, width)
    y = alt.Y(
        "place:N",
        sort=_places(rows),
        title=None,
        axis=alt.Axis(
            labelColor=color("ink"), domain=False, ticks=False, grid=True, labelLimit=110 if is_narrow(width) else 260
        ),
    )
    base = alt.Chart(source(rows.drop("partition", "topic", "cluster")))
    stretches = base.mark_rule(strokeWidth=3, opacity=0.7).encode(
        x=x, x2="until_seconds:Q", y=y, color=_fate_color(rows)
    )
    points = base.mark_point(filled=True, size=85, opacity=1).encode(
        x=x, y=y, color=_fate_color(rows), shape=_fate_shape(rows)
    )
    labels = base.mark_text(align="left", dx=8, dy=-8, fontSize=11, color=color("ink")).encode(
        x=x, y=y, text=alt.Text("records:Q", format=",d")
    )
    has_labels = rows.height <= 60 and not is_narrow(width)  # noqa: PLR2004  (more would lie on top of each other)
    return finished(
        [stretches, points, *([labels] if has_labels else []), *mark_layers(moments, low, high)],
        title=_title(frame),
        subtitle=_subtitle(placed, rows),
        description=f"Map of partitions over time of acknowledgement. {_title(frame)}. {_by_partition(rows)}",
        width=width,
        height=max(2, rows["place"].n_unique()) * (ROW_HEIGHT + 4),
    )


def _place(frame: pl.DataFrame) -> pl.Expr:
    """Partition with its topic, and its cluster where there is more than one."""
    parts = [pl.col("topic"), pl.col("partition").cast(pl.String)]
    if frame["cluster"].n_unique() > 1:
        parts = [pl.col("cluster"), *parts]
    return pl.concat_str(parts, separator=" / ", ignore_nulls=True)


def _busiest(placed: pl.DataFrame) -> pl.DataFrame:
    totals = placed.group_by("place").agg(pl.sum("records")).sort("records", "place", descending=[True, False])
    return placed.filter(pl.col("place").is_in(totals["place"].head(MAX_PARTITIONS).implode()))


def _merged(placed: pl.DataFrame) -> pl.DataFrame:
    """Runs of one partition and fate that begin in the same stretch of time, as one."""
    lines = placed.select("place", "fate").n_unique()
    cells = max(1, min(_MAX_CELLS, MAX_POINTS // (2 * lines)))
    cell = max(max(placed["from_seconds"]) - min(placed["from_seconds"]), 1e-6) / cells
    merged = placed.group_by(
        "cluster", "topic", "partition", "place", "fate", (pl.col("from_seconds") / cell).floor().alias("cell")
    ).agg(pl.min("from_seconds"), pl.max("until_seconds"), pl.sum("records"))
    return merged.sort("cluster", "topic", "partition", "from_seconds", "fate", nulls_last=True).drop("cell")


def _extent(rows: pl.DataFrame, moments: Moments) -> tuple[float, float]:
    """From the first to the last run, with the marks in view and a little room."""
    ends = [*rows["from_seconds"].to_list(), *rows["until_seconds"].to_list(), *moments.marks().values(), 0.0]
    room = (max(ends) - min(ends)) * 0.06 or 1.0
    return min(ends) - room, max(ends) + room


def _places(rows: pl.DataFrame) -> list[str]:
    return rows["place"].unique(maintain_order=True).to_list()


def _fate_color(rows: pl.DataFrame) -> alt.Color:
    fates = _fates(rows)
    return alt.Color("fate:N", scale=alt.Scale(domain=fates, range=[color(fate) for fate in fates]))


def _fate_shape(rows: pl.DataFrame) -> alt.Shape:
    fates = _fates(rows)
    return alt.Shape("fate:N", scale=alt.Scale(domain=fates, range=[FATES[fate] for fate in fates]))


def _fates(rows: pl.DataFrame) -> list[str]:
    seen = set(rows["fate"])
    return [fate for fate in FATES if fate in seen]


def _title(frame: pl.DataFrame) -> str:
    totals = frame.group_by("fate").agg(pl.sum("records"))
    counts = dict(zip(totals["fate"], totals["records"], strict=True))
    listed = ", ".join(f"{counts[fate]:,} {fate}" for fate in FATES if fate in counts)
    return f"{frame['downstream'][0]}: {listed}"


def _subtitle(placed: pl.DataFrame, rows: pl.DataFrame) -> str:
    left_out = placed["place"].n_unique() - rows["place"].n_unique()
    merged = "Runs that begin close together are drawn as one. " if rows.height < placed.height else ""
    return (merged + (f"{left_out:,} more partitions are not drawn." if left_out else "")).strip()


def _by_partition(rows: pl.DataFrame) -> str:
    totals = rows.group_by("place", "fate", maintain_order=True).agg(pl.sum("records")).head(12).to_dicts()
    return "; ".join(f"{row['place']}: {row['records']:,} {row['fate']}" for row in totals) + "."
