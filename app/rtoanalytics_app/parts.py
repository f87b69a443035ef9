"""Charts and tables as every page shows them: with words for who cannot see them, and to take away."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import streamlit as st
import vl_convert

from rtoanalytics.charts import for_screen
from rtoanalytics.charts.svg import newest_version
from rtoanalytics_app.markup import show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import altair as alt

MAX_SHOWN_ROWS = 10_000
"""Most rows a table sends to the browser; a download has them all."""
_PICTURE_SCALE = 2.0
_INSTANT = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss.SSS")


def is_dark() -> bool:
    """Whether the page is shown in dark colors."""
    return bool(st.context.theme.type == "dark")


def show_chart(chart: alt.LayerChart, name: str) -> None:
    """A chart with its title as a heading, its description for screen readers, and downloads as PNG and SVG."""
    specification: dict[str, Any] = chart.to_dict(validate=False)
    title = specification["title"]
    show("chart_title", title["text"], " ".join(title.get("subtitle") or []))
    drawn = for_screen(specification, is_dark=is_dark())
    st.vega_lite_chart(spec=drawn, width="stretch", theme=None, key=f"chart-{name}", alt=specification["description"])
    with _downloads(name):
        _download("PNG", lambda: png_of(specification), f"{name}.png", "image/png")
        _download("SVG", lambda: svg_of(specification), f"{name}.svg", "image/svg+xml")


def show_frame(
    frame: pl.DataFrame, name: str, caption: str, *, height: int | None = None, columns: Mapping[str, str] | None = None
) -> None:
    """A long table that scrolls and sorts, with downloads of every row. `columns`: those shown, with their headings."""
    shown = frame.select(*columns) if columns else frame
    if shown.height > MAX_SHOWN_ROWS:
        show("note", f"The first {MAX_SHOWN_ROWS:,} of {shown.height:,} rows; a download has them all.")
    written = readable(shown.head(MAX_SHOWN_ROWS)).rename(dict(columns or {}))
    st.dataframe(
        written,
        column_config={name: _INSTANT for name, kind in written.schema.items() if kind.is_temporal()},
        hide_index=True,
        width="stretch",
        height=height or "auto",
        key=f"table-{name}",
        alt=caption,
        placeholder="—",
    )
    offer_table(frame, name)


def offer_table(frame: pl.DataFrame | list[dict[str, Any]], name: str) -> None:
    """Downloads of a table as CSV and Parquet."""
    table = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame, infer_schema_length=None)
    with _downloads(name):
        _download("CSV", lambda: csv_of(table), f"{name}.csv", "text/csv")
        _download("Parquet", lambda: parquet_of(table), f"{name}.parquet", "application/vnd.apache.parquet")


def csv_of(frame: pl.DataFrame) -> bytes:
    """The frame as CSV: instants in ISO 8601 with Z, lists and structures left out."""
    flat = frame.select(name for name, kind in frame.schema.items() if not kind.is_nested())
    return flat.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ").encode()


def parquet_of(frame: pl.DataFrame) -> bytes:
    """The frame as one Parquet file."""
    written = io.BytesIO()
    frame.write_parquet(written, compression="zstd")
    return written.getvalue()


def png_of(specification: dict[str, Any]) -> bytes:
    """A chart as a picture on white, twice as fine as on the page. No request is made."""
    drawn: bytes = vl_convert.vegalite_to_png(
        {**specification, "background": "white"},
        vl_version=newest_version(specification),
        scale=_PICTURE_SCALE,
        allowed_base_urls=[],
    )
    return drawn


def svg_of(specification: dict[str, Any]) -> bytes:
    """A chart as SVG with its title. No request is made."""
    drawn: str = vl_convert.vegalite_to_svg(
        specification, vl_version=newest_version(specification), allowed_base_urls=[]
    )
    return drawn.encode()


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Instants without a zone, which is UTC throughout: the browser would turn them into its own."""
    return frame.with_columns(
        pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime) and kind.time_zone
    )


def file_name(*parts: str) -> str:
    """A name for a download, from parts that may hold anything.

    >>> file_name("payments / 2026", "lag:payments-sink")
    'payments-2026-lag-payments-sink'
    """
    return re.sub(r"[^A-Za-z0-9._]+", "-", "-".join(parts)).strip("-")


def _downloads(name: str) -> Any:  # noqa: ANN401  (a container of Streamlit)
    return st.container(horizontal=True, key=f"downloads-{name}", gap="small")


def _download(form: str, content: Callable[[], bytes], name: str, kind: str) -> None:
    st.download_button(
        form, content, file_name=name, mime=kind, key=f"download-{name}", type="tertiary", on_click="ignore",
        help=f"Download {name}",
    )  # fmt: skip
