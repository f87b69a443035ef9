"""Fewer points, same outline: what a chart leaves out must not hide a peak."""

from __future__ import annotations

import polars as pl

MAX_POINTS = 5_000
"""Most points one chart draws."""


def points_for(width: int) -> int:
    """Most points worth drawing in a chart so many pixels wide: two a pixel, and never more than MAX_POINTS.

    >>> points_for(920), points_for(10_000)
    (1840, 5000)
    """
    return min(MAX_POINTS, 2 * width)


def thinned(frame: pl.DataFrame, columns: list[str], limit: int = MAX_POINTS) -> pl.DataFrame:
    """At most `limit` rows of an ordered frame: evenly cut stretches, of each the lowest and highest row of a column.

    The first row without a value stays too, so that a gap stays a gap, and so do the very first and last row. A frame
    that fits is returned as it is.

    >>> frame = pl.DataFrame({"second": range(100), "lag": [0] * 50 + [9] + [0] * 49})
    >>> thinned(frame, ["lag"], limit=10).filter(pl.col("lag") > 0).to_dicts()
    [{'second': 50, 'lag': 9}]
    """
    if frame.height <= limit:
        return frame
    stretches = max(1, (limit - 2) // (3 * len(columns)))
    numbered = frame.with_row_index("row_number").with_columns(
        stretch=pl.col("row_number") * stretches // frame.height,
    )
    extremes = [
        pl.col("row_number").get(place).alias(f"{column}_{name}")
        for column in columns
        for name, place in (
            ("lowest", pl.col(column).arg_min()),
            ("highest", pl.col(column).arg_max()),
            ("unknown", pl.arg_where(pl.col(column).is_null()).first()),
        )
    ]
    kept = numbered.group_by("stretch").agg(extremes).drop("stretch")
    row_numbers = {0, frame.height - 1}.union(*(column.drop_nulls().to_list() for column in kept))
    return frame[sorted(row_numbers)]


def thinning_note(rows: int, limit: int = MAX_POINTS) -> str:
    """What a caption says about `rows` rows that were thinned to `limit`; empty when nothing was left out.

    >>> thinning_note(100, limit=10)
    'At most 10 of 100 steps are drawn; the highest and lowest of each stretch are kept.'
    """
    if rows <= limit:
        return ""
    return f"At most {limit:,} of {rows:,} steps are drawn; the highest and lowest of each stretch are kept."
