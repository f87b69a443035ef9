"""What stands around every page: navigation, the choice of a drill, and what is said when a drill cannot be shown."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.errors import RtoError
from rtoanalytics.report import view
from rtoanalytics.report.wording import simulated_sentence
from rtoanalytics_app import links
from rtoanalytics_app.app_pages import (
    backlog,
    clients,
    compare,
    evidence,
    integrity,
    library,
    live,
    scorecard,
    timeline,
    what_if,
)
from rtoanalytics_app.entries import Entry, current, is_stale, read_entries
from rtoanalytics_app.markup import show, show_style
from rtoanalytics_app.parts import is_dark
from rtoanalytics_app.server import places

if TYPE_CHECKING:
    from collections.abc import Callable

DRILL_PAGES = {
    "scorecard": ("Scorecard", scorecard.show_page),
    "timeline": ("Timeline", timeline.show_page),
    "backlog": ("Backlog", backlog.show_page),
    "integrity": ("Integrity", integrity.show_page),
    "clients": ("Clients and cluster", clients.show_page),
    "evidence": ("Evidence", evidence.show_page),
    "what-if": ("What if", what_if.show_page),
}
"""Page of an analyzed drill → its title and what shows it."""


def run() -> None:
    """Show the page that the address asks for."""
    show_style(is_dark=is_dark())
    shown = places()
    entries = read_entries(shown)
    asked = st.query_params.get(links.DRILL)
    if asked and all(entry.key != asked for entry in entries):
        read_entries.clear()  # a drill that has just begun
        entries = read_entries(shown)
    library_page = st.Page(partial(_library, entries), title="Library", url_path="library", default=True)
    pages = [
        st.Page(partial(_drill_page, entries, title, show_page), title=title, url_path=name)
        for name, (title, show_page) in DRILL_PAGES.items()
    ]
    compare_page = st.Page(partial(_guarded, partial(compare.show_page, entries)), title="Compare", url_path="compare")
    live_page = st.Page(partial(_live_page, entries), title="Live", url_path="live")
    navigation = st.navigation({"Drills": [library_page, compare_page], "One drill": [*pages, live_page]})
    if entries and navigation.url_path not in {"", "compare"}:
        with st.sidebar:
            _choose(entries)
    navigation.run()


def _choose(entries: list[Entry]) -> None:
    """The choice of a drill; the address follows it."""
    keys = [entry.key for entry in entries]
    chosen = links.chosen(entries)
    if chosen is not None:
        st.session_state["choice"] = chosen.key
    elif "choice" in st.session_state:
        del st.session_state["choice"]
    titles = {entry.key: entry.title for entry in entries}
    st.selectbox(
        "Drill",
        keys,
        key="choice",
        index=0 if chosen else None,
        format_func=lambda key: titles.get(key, key),
        on_change=_follow,
        placeholder="choose a drill",
    )


def _follow() -> None:
    key = st.session_state.get("choice")
    if key:
        st.session_state[links.DRILL] = key
        st.query_params[links.DRILL] = key


def _library(entries: list[Entry]) -> None:
    _guarded(partial(library.show_page, entries))


def _live_page(entries: list[Entry]) -> None:
    entry = _chosen(entries)
    if entry is not None:
        show("heading", entry.title, f"Live · {entry.key}", None)
        _guarded(partial(live.show_page, entry))


def _drill_page(entries: list[Entry], title: str, show_page: Callable[[Entry], None]) -> None:
    entry = _chosen(entries)
    if entry is None:
        return
    is_scorecard = title == DRILL_PAGES["scorecard"][0]  # it says the verdict itself, and larger
    badge = view.badge(entry.scorecard["verdict"]) if entry.scorecard and not is_scorecard else None
    show("heading", entry.title, f"{title} · {entry.key}", badge)
    if entry.scorecard:
        simulated = simulated_sentence(entry.scorecard)
        if simulated:
            show("simulated", simulated)
    if entry.problem:
        _offer_analysis(entry)
    if entry.scorecard:
        _guarded(partial(show_page, entry))


def _chosen(entries: list[Entry]) -> Entry | None:
    entry = links.chosen(entries)
    if entry is None:
        asked = st.query_params.get(links.DRILL)
        what = f'No drill "{asked}" in the library.' if asked else "No drill in the library."
        lines = ["Choose one on the left, or start with the folder that holds it: rto app FOLDER"]
        show("problem", what, lines, "")
    return current(entry) if entry else None


def _offer_analysis(entry: Entry) -> None:
    """Why results are missing or old, and a way to have them: the core analyzes, this page only asks it to."""
    assert entry.problem is not None  # noqa: S101  (the caller has looked)
    what = "The results are not current." if is_stale(entry) else "There are no results to show."
    show("problem", what, entry.problem.splitlines(), f"rto analyze {entry.root}")
    if entry.is_capturing:
        show("note", "A capture is writing into this bundle: Live shows it as it stands.")
    if st.button("Analyze now", key=f"analyze-{entry.key}", type="primary"):
        with st.spinner("Reading the evidence and judging it"):
            _analyze(entry)


def _analyze(entry: Entry) -> None:
    try:
        analyze_bundle(entry.root)
    except RtoError as error:
        show("problem", "The bundle cannot be analyzed.", str(error).splitlines(), f"rto check {entry.root}")
        return
    read_entries.clear()
    st.rerun()


def _guarded(show_page: Callable[[], None]) -> None:
    """Show a page; what goes wrong with one bundle is said there, and the app goes on."""
    try:
        show_page()
    except RtoError as error:
        show("problem", "This page cannot be shown.", str(error).splitlines(), "")
    except Exception as error:
        logging.getLogger(__name__).exception("a page failed")
        lines = [f"{type(error).__name__}: {error}", "Please report it with the bundle; the terminal shows where."]
        show("problem", "A defect of rtoanalytics.", lines, "")
