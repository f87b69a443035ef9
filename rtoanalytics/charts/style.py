"""Colors, fonts and sizes that every chart shares.

A color has a role and two values, for light and for dark surroundings. Charts are drawn in the light values; where a
chart stands as SVG inside a page, `dark_css` turns each of them into its dark twin.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import altair as alt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

WIDE = 920
"""Pixels across of a chart on paper or a laptop."""
NARROW_BELOW = 500
"""Charts narrower than this many pixels leave out what would not fit."""
ROW_HEIGHT = 26
"""Pixels of one row in charts that list things."""
FONT = "Liberation Sans"
"""The font that labels are measured in. A page must show them in one of the same widths (Arial, Liberation Sans)."""


class Tone(NamedTuple):
    """One color in light and in dark surroundings."""

    light: str
    dark: str


PALETTE: Mapping[str, Tone] = MappingProxyType(
    {
        "ink": Tone("#18212d", "#eef2f7"),
        "muted": Tone("#566171", "#a3aebd"),
        "rule": Tone("#dfe3e9", "#2c3542"),
        "track": Tone("#eef0f4", "#222a35"),
        "accent": Tone("#1f5fa8", "#74b3f5"),
        "band": Tone("#b9d3ef", "#2a4c74"),
        "pass": Tone("#1a7346", "#4fc489"),
        "fail": Tone("#b4231a", "#f78a80"),
        "inconclusive": Tone("#8f5a00", "#e8b44c"),
        "not_applicable": Tone("#626d7b", "#97a2b1"),
        "on_status": Tone("#fefefe", "#10151c"),
        "good": Tone("#8cc9a6", "#2f6a4b"),
        "duplicated": Tone("#c05d00", "#ff9f4a"),
        "skipped": Tone("#7a36a8", "#c99bf0"),
        "lost": Tone("#b5221b", "#f78b81"),
        "pending": Tone("#20609a", "#75b4e6"),
        "unresolved": Tone("#67717c", "#98a3b0"),
    }
)
"""Every color by its role. No two roles share a light value: the dark twin is found by it."""


def color(role: str) -> str:
    """The light value of a role."""
    return PALETTE[role].light


def dark_css(scope: str) -> str:
    """CSS rules that turn each light value below the selector `scope` into its dark twin."""
    return "\n".join(
        f'{scope} [{attribute}="{tone.light}"]{{{attribute}:{tone.dark}}}'
        for tone in PALETTE.values()
        for attribute in ("fill", "stroke")
    )


def is_narrow(width: int) -> bool:
    """Whether a chart of that many pixels must leave out what would not fit."""
    return width < NARROW_BELOW


def source(rows: pl.DataFrame | list[dict[str, Any]]) -> alt.InlineData:
    """Rows as data that stands in the specification itself."""
    values = rows if isinstance(rows, list) else rows.to_dicts()
    return alt.InlineData(values=values)


def finished(
    layers: Sequence[alt.Chart],
    *,
    title: str,
    subtitle: str = "",
    description: str,
    width: int,
    height: int,
) -> alt.LayerChart:
    """The layers as one chart in the common style: `width` pixels in all, `height` pixels of plot.

    `description` says in words what it shows, for whoever cannot see it.
    """
    styled = alt.layer(*layers).properties(
        title=alt.TitleParams(title, subtitle=[subtitle] if subtitle else []),
        description=description,
        width=width,
        height=height,
        padding={"left": 2, "right": 18, "top": 6, "bottom": 4},
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        background="transparent",
        config=_CONFIG,
    )
    return cast("alt.LayerChart", styled)


_CONFIG = {
    "aria": False,
    "font": FONT,
    "view": {"stroke": None},
    "title": {
        "anchor": "start", "color": color("ink"), "fontSize": 15, "fontWeight": 600, "offset": 12,
        "subtitleColor": color("muted"), "subtitleFontSize": 12,
    },
    "axis": {
        "domainColor": color("rule"), "gridColor": color("rule"), "tickColor": color("rule"),
        "labelColor": color("muted"), "labelFontSize": 12, "labelPadding": 6, "labelFlush": False,
        "titleColor": color("muted"), "titleFontSize": 12, "titleFontWeight": "normal",
    },
    "legend": {
        "labelColor": color("ink"), "labelFontSize": 12, "title": None, "orient": "bottom", "symbolSize": 90,
        "offset": 8,
    },
}  # fmt: skip
