"""In which state things were, from when until when: connections, leaders and replicas, groups, connectors."""

from __future__ import annotations

import altair as alt
import polars as pl

from rtoanalytics.charts.elapsed import Moments, elapsed_x, mark_layers, with_elapsed
from rtoanalytics.charts.style import ROW_HEIGHT, WIDE, color, finished, is_narrow, source
from rtoanalytics.charts.thinning import points_for

MAX_ROWS = 40
"""Most things one chart lists; those that were worst for longest come first."""
_LETTER_SHARE = 0.0072
"""Share of the axis that a letter of a label needs."""


def state_stretches(frame: pl.DataFrame, moments: Moments, *, title: str, width: int = WIDE) -> alt.LayerChart:
    """One row a thing, one bar a stretch: pale where it worked, dark and taller where it did not, the state in words.

    `frame` holds rows of state_stretches.parquet of one kind, at least one.
    """
    placed = with_elapsed(frame, moments, from_seconds="from_at", until_seconds="until_at").with_columns(
        thing=pl.when(pl.col("place") == "")
        .then(pl.col("subject"))
        .otherwise(pl.concat_str("subject", "place", separator=" · "))
    )
    things = _worst(placed)
    rows = placed.filter(pl.col("thing").is_in(things)).sort("thing", "from_seconds").head(points_for(width))
    low, high = min(0.0, *rows["from_seconds"]), max(1.0, *rows["until_seconds"])
    length = max(high - low, 1e-6)
    needed = pl.col("state").str.len_chars() * _LETTER_SHARE * length * (2.2 if is_narrow(width) else 1)
    labeled = rows.with_columns(
        judgment=pl.when(pl.col("is_sound")).then(pl.lit("working")).otherwise(pl.lit("not working")),
        label=pl.when(pl.col("until_seconds") - pl.col("from_seconds") > needed).then("state").otherwise(pl.lit("")),
    ).select("thing", "state", "judgment", "label", "from_seconds", "until_seconds")
    x = elapsed_x("from_seconds", moments, low, high, width)
    y = alt.Y(
        "thing:N",
        sort=sorted(things),
        title=None,
        axis=alt.Axis(labelColor=color("ink"), domain=False, ticks=False, labelLimit=110 if is_narrow(width) else 260),
    )
    tone = alt.Color(
        "judgment:N", scale=alt.Scale(domain=["working", "not working"], range=[color("good"), color("fail")])
    )
    good, bad = (labeled.filter(pl.col("judgment") == name) for name in ("working", "not working"))
    bars = [
        alt.Chart(source(part)).mark_bar(height=height, stroke=color("on_status"), strokeWidth=1).encode(
            x=x, x2="until_seconds:Q", y=y, color=tone
        )
        for part, height in ((good, 12), (bad, 19))
    ]  # fmt: skip
    texts = [
        alt.Chart(source(part)).mark_text(align="left", dx=5, dy=1, fontSize=11, color=color(role)).encode(
            x=x, y=y, text="label:N"
        )
        for part, role in ((good, "ink"), (bad, "on_status"))
    ]  # fmt: skip
    left_out = placed["thing"].n_unique() - len(things)
    return finished(
        [*bars, *texts, *mark_layers(moments, low, high)],
        title=title,
        subtitle=f"{left_out:,} more are not drawn; the table lists them" if left_out else "",
        description=f"{title}. {_sentence(labeled)}",
        width=width,
        height=ROW_HEIGHT * max(1, len(things)),
    )


def _worst(placed: pl.DataFrame) -> list[str]:
    lengths = pl.when(pl.col("is_sound")).then(0.0).otherwise(pl.col("until_seconds") - pl.col("from_seconds"))
    totals = placed.group_by("thing").agg(lengths.sum().alias("bad_seconds"), pl.len().alias("changes"))
    ordered = totals.sort("bad_seconds", "changes", "thing", descending=[True, True, False])
    return ordered["thing"].head(MAX_ROWS).to_list()


def _sentence(rows: pl.DataFrame) -> str:
    bad = rows.filter(pl.col("judgment") == "not working")
    if bad.is_empty():
        return "Everything worked whenever it was looked at."
    totals = bad.group_by("thing", maintain_order=True).agg(
        (pl.col("until_seconds") - pl.col("from_seconds")).sum().alias("seconds")
    )
    listed = "; ".join(f"{row['thing']} for {row['seconds']:,.1f} s" for row in totals.head(12).to_dicts())
    return f"Not working: {listed}."
