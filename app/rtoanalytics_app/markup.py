"""Pieces of a page that are HTML: escaped by the template, in the style of the report."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from rtoanalytics.charts.style import PALETTE
from rtoanalytics.report.html import TEMPLATES, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2.environment import TemplateModule

_OWN = Path(__file__).parent / "templates"
_SURFACES = {
    "paper": ("#ffffff", "#10151c"),
    "card": ("#ffffff", "#161c25"),
    "wash": ("#f6f7f9", "#1a212b"),
    "pass-wash": ("#e7f4ec", "#12301f"),
    "fail-wash": ("#fcebe9", "#3a1715"),
    "inconclusive-wash": ("#fbf1dc", "#352708"),
    "not-applicable-wash": ("#eef0f3", "#222a35"),
}


class Column(NamedTuple):
    """One column of a table: the key in its rows, and the heading."""

    name: str
    title: str
    is_number: bool = False
    style: str = ""
    is_head: bool = False
    """Whether it names the row, beside the first column."""


def show(piece: str, *arguments: object, **named: object) -> None:
    """Write one macro of templates/parts.html.j2 into the page."""
    st.html(html(piece, *arguments, **named))


def html(piece: str, *arguments: object, **named: object) -> str:
    """One macro of templates/parts.html.j2 as text."""
    text = getattr(_module(), piece)(*arguments, **named)
    return f'<div class="rto">{text}</div>'


def show_table(
    caption: str, columns: Sequence[Column], rows: Sequence[dict[str, Any]], *, is_caption_hidden: bool = False
) -> None:
    """Write a short table: it reads well aloud, prints, and can be searched in the browser."""
    show("table", caption, columns, rows, is_caption_hidden)


def show_style(*, is_dark: bool) -> None:
    """Write the rules of the report, limited to our own pieces, and the colors of the theme."""
    place = 1 if is_dark else 0
    tones = {role.replace("_", "-"): tone[place] for role, tone in PALETTE.items()}
    tones |= {name: pair[place] for name, pair in _SURFACES.items()}
    colors = "".join(f"--{name}:{value};" for name, value in tones.items())
    scheme = "dark" if is_dark else "light"
    st.html(f"<style>:root{{{colors}color-scheme:{scheme}}}\n@scope (.rto) {{\n{_rules()}\n}}\n{_own_rules()}</style>")


@cache
def _module() -> TemplateModule:
    return environment(_OWN).get_template("parts.html.j2").module


@cache
def _rules() -> str:
    """The report's rules; @page stands at the top level or nowhere."""
    return "\n".join(
        line
        for line in (TEMPLATES / "report.css").read_text("utf-8").splitlines()
        if not line.strip().startswith("@page")
    )


@cache
def _own_rules() -> str:
    return (_OWN / "app.css").read_text("utf-8")
