"""A chart's specification for a page that draws it itself: in the colors of the page, and told to screen readers."""

from __future__ import annotations

from typing import Any

from rtoanalytics.charts.style import PALETTE

_DARK = {tone.light: tone.dark for tone in PALETTE.values()}


def for_screen(specification: dict[str, Any], *, is_dark: bool) -> dict[str, Any]:
    """The specification without its title, which the page sets, in light or dark colors.

    >>> for_screen({"mark": {"color": "#18212d"}, "title": {"text": "x"}}, is_dark=True)
    {'mark': {'color': '#eef2f7'}, 'config': {'aria': True}}
    """
    kept = {name: value for name, value in specification.items() if name != "title"}
    kept["config"] = {**kept.get("config", {}), "aria": True}
    colored: dict[str, Any] = in_dark(kept) if is_dark else kept
    return colored


def in_dark(value: Any) -> Any:  # noqa: ANN401  (any part of a specification)
    """Any part of a specification with each light color of the palette as its dark twin."""
    if isinstance(value, dict):
        return {name: item if name == "values" else in_dark(item) for name, item in value.items()}
    if isinstance(value, list):
        return [in_dark(item) for item in value]
    return _DARK.get(value, value) if isinstance(value, str) else value
