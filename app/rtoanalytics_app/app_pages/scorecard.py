"""The scorecard: the verdict in one sentence, seven rows, the checks behind them, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rtoanalytics import charts
from rtoanalytics.report import view
from rtoanalytics.report.key_figures import key_figures
from rtoanalytics.report.markdown import markdown_of
from rtoanalytics.report.wording import interval, verdict_sentence
from rtoanalytics.results import scorecard_bytes
from rtoanalytics_app.links import evidence_links
from rtoanalytics_app.markup import show
from rtoanalytics_app.parts import file_name, show_chart
from rtoanalytics_app.reading import report_html

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtoanalytics_app.entries import Entry


def show_page(entry: Entry) -> None:
    """One page to agree on."""
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    badge = view.badge(scorecard["verdict"])
    show("note", _place(scorecard))
    show("verdict_card", badge, verdict_sentence(scorecard), interval(scorecard["recovery"]), key_figures(scorecard))
    show_chart(charts.rta_interval(scorecard["recovery"]), file_name(entry.key, "recovery-time"))
    rows = view.row_views(scorecard)
    show("title", "Seven rows", "rows")
    show("rows", rows, _links(entry, scorecard))
    actions = view.next_actions(rows)
    if actions:
        show("title", "Before the next drill", "next")
        show("actions", actions)
    _downloads(entry, scorecard)


def _place(scorecard: Mapping[str, Any]) -> str:
    drill, recovery = scorecard["drill"], scorecard["recovery"]
    platform = f" on {drill['platform']['name']}" if drill["platform"]["name"] else ""
    started = f", clock started {recovery['clock_started_at']}" if recovery["clock_started_at"] else ""
    return f"Flow {drill['flow']}{platform}{started}"


def _links(entry: Entry, scorecard: Mapping[str, Any]) -> dict[str, str]:
    files = [file for row in scorecard["rows"] for check in row["checks"] for file in check["evidence"] or ()]
    return evidence_links(entry.key, files)


def _downloads(entry: Entry, scorecard: dict[str, Any]) -> None:
    show("title", "Take it away", "downloads")
    with st.container(horizontal=True, key="take-away"):
        st.download_button(
            "Report (HTML)", lambda: report_html(entry), file_name=f"{file_name(entry.key)}.html", mime="text/html",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Report (Markdown)", lambda: markdown_of(entry.root), file_name=f"{file_name(entry.key)}.md",
            mime="text/markdown", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "scorecard.json", lambda: scorecard_bytes(scorecard), file_name=f"{file_name(entry.key)}.scorecard.json",
            mime="application/json", on_click="ignore",
        )  # fmt: skip
