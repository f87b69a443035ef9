"""The library of drills: what was found out, when, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from rtoanalytics.report import view
from rtoanalytics.report.wording import VERDICT_WORDS, interval, number, seconds
from rtoanalytics_app.links import address
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import offer_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics_app.entries import Entry

MAX_ROWS = 200
"""Most drills in the table; filters and downloads reach them all."""
_COLUMNS = (
    Column("verdict", "Verdict"),
    Column("drill", "Drill", style="wide", is_head=True),
    Column("flow", "Flow"),
    Column("platform", "Platform"),
    Column("date", "Date (UTC)", style="nowrap"),
    Column("rta", "Recovery time", is_number=True),
    Column("rto", "Objective", is_number=True),
    Column("duplicated", "Duplicated", is_number=True),
    Column("skipped", "Skipped", is_number=True),
    Column("lost", "Lost", is_number=True),
)
_FILTERS = {"Flow": "flow", "Platform": "platform", "Quarter": "quarter", "Verdict": "word"}


def show_page(entries: Sequence[Entry]) -> None:
    """Drills with their verdicts, filters above them; captures that run and bundles that cannot be read below."""
    show("heading", "Resilience drills", "Library", None)
    rows = [_row(entry) for entry in entries if entry.scorecard]
    if not entries:
        show("empty", "No bundle was found: a bundle is a folder with a drill.yaml. Try: rto demo, then rto app drills")
        return
    kept = _filtered(rows) if rows else []
    if kept:
        show_table("Drills, newest first", _COLUMNS, kept[:MAX_ROWS], is_caption_hidden=True)
        if len(kept) > MAX_ROWS:
            show("note", f"The newest {MAX_ROWS:,} of {len(kept):,} drills; filter them, or download the table.")
        plain = [{name: value for name, value in row.items() if name not in {"symbol", "href"}} for row in kept]
        offer_table(plain, "drills")
    elif rows:
        show("empty", "No drill fits these filters.")
    _others([entry for entry in entries if entry.scorecard is None or entry.is_capturing])


def quarter_of(instant: str | None) -> str:
    """The quarter of an instant.

    >>> quarter_of("2026-11-20T10:00:00Z"), quarter_of(None)
    ('2026 Q4', 'no date')
    """
    return f"{instant[:4]} Q{(int(instant[5:7]) + 2) // 3}" if instant else "no date"


def _row(entry: Entry) -> dict[str, Any]:
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (the caller has looked)
    drill, recovery, totals = scorecard["drill"], scorecard["recovery"], scorecard["totals"]
    when = recovery["clock_started_at"] or drill["started_at"]
    return {
        **view.badge(scorecard["verdict"]),
        "drill": drill["title"] or drill["id"],
        "id": entry.key,
        "flow": drill["flow"],
        "platform": _platform(drill),
        "date": when[:16].replace("T", " ") if when else "—",
        "quarter": quarter_of(when),
        "rta": interval(recovery),
        "rto": seconds(recovery["rto_seconds"]),
        **{name: number(totals[name]) for name in ("duplicated", "skipped", "lost")},
        "href": address("scorecard", entry.key),
    }


def _platform(drill: dict[str, Any]) -> str:
    name = str(drill["platform"]["name"] or "—")
    is_said = not drill.get("simulated_clusters") or "simulated" in name
    return name if is_said else f"{name} (simulated cluster)"


def _filtered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = rows
    for (title, name), place in zip(_FILTERS.items(), st.columns(len(_FILTERS)), strict=True):
        options = sorted({row[name] for row in rows}, reverse=name == "quarter")
        with place:
            chosen = st.multiselect(title, options, key=f"filter-{name}", placeholder="all")
        if chosen:
            kept = [row for row in kept if row[name] in chosen]
    counts = {word: sum(row["word"] == word for row in kept) for word in VERDICT_WORDS.values()}
    listed = ", ".join(f"{count} {word.lower()}" for word, count in counts.items() if count)
    show("note", f"{len(kept):,} of {len(rows):,} drills: {listed}" if kept else "")
    return kept


def _others(entries: Sequence[Entry]) -> None:
    if not entries:
        return
    show("title", "Not analyzed, being captured, or not readable", "others")
    columns = (Column("state", "State"), Column("drill", "Bundle", is_head=True), Column("why", "Why", style="why"))
    show_table("Bundles without a verdict", columns, [_other(entry) for entry in entries], is_caption_hidden=True)


def _other(entry: Entry) -> dict[str, Any]:
    if entry.is_capturing:
        why = "Segments in its spool are not evidence yet: a capture runs, or was killed (rto recover)."
        return {"state": "capturing", "drill": entry.key, "why": why, "href": address("live", entry.key)}
    problem = entry.problem or ""
    state = "not analyzed" if problem.startswith("The bundle has not") else "cannot be read"
    return {"state": state, "drill": entry.key, "why": problem, "href": address("scorecard", entry.key)}
