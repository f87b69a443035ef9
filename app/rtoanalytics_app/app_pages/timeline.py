"""The timeline: planned against actual, the phases of recovery, which condition held it back, every event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from rtoanalytics import charts
from rtoanalytics.charts.elapsed import clock_text, moments_of
from rtoanalytics.report import view
from rtoanalytics.report.figures import runbook_steps
from rtoanalytics.report.wording import readable
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, offer_table, show_chart, show_frame
from rtoanalytics_app.reading import frame

if TYPE_CHECKING:
    from typing import Any

    from rtoanalytics.charts import Moments
    from rtoanalytics_app.entries import Entry

_PHASES = (
    Column("name", "Phase"),
    Column("at", "Ended", is_number=True),
    Column("took", "Took", is_number=True),
    Column("share", "Of the objective", is_number=True),
)
_CONDITIONS = (
    Column("name", "Condition"),
    Column("impact", "Broke", is_number=True),
    Column("restored", "Held again", is_number=True),
    Column("low", "Not before", is_number=True),
    Column("high", "At the latest", is_number=True),
    Column("outcome", "Outcome"),
)


def show_page(entry: Entry) -> None:
    """Phases first: where the time went."""
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    moments = moments_of(scorecard)
    recovery = scorecard["recovery"]
    _phases(entry, recovery, moments)
    _runbook(entry, moments)
    _conditions(entry, recovery, moments)
    _events(entry, moments)


def _phases(entry: Entry, recovery: dict[str, Any], moments: Moments) -> None:
    show("title", "Phases of recovery", "phases")
    if not any(phase["at"] for phase in recovery["phases"]):
        show("empty", "No phase was seen: no event started the clock, or nothing was captured after it.")
        return
    show_chart(charts.phases(recovery, moments), file_name(entry.key, "phases"))
    show_table("Phases", _PHASES, view.phase_rows(recovery, moments), is_caption_hidden=True)
    offer_table(recovery["phases"], file_name(entry.key, "phases-table"))


def _runbook(entry: Entry, moments: Moments) -> None:
    show("title", "Runbook", "runbook")
    steps = runbook_steps(frame(entry, "timeline"), moments)
    if not steps:
        show("empty", "The definition plans no step with a minute, or no event started the clock.")
        return
    show_chart(charts.runbook(steps[:60], moments), file_name(entry.key, "runbook"))
    offer_table(steps, file_name(entry.key, "runbook-table"))


def _conditions(entry: Entry, recovery: dict[str, Any], moments: Moments) -> None:
    show("title", "Service restored, condition by condition", "conditions")
    steps = frame(entry, "recovery")
    if steps.is_empty():
        show("empty", "The drill names no condition for “service restored”, or no event started the clock.")
        return
    show_chart(charts.condition_states(steps, moments), file_name(entry.key, "conditions"))
    show_table("Conditions", _CONDITIONS, view.condition_rows(recovery, moments), is_caption_hidden=True)
    offer_table(steps, file_name(entry.key, "recovery"))


def _events(entry: Entry, moments: Moments) -> None:
    show("title", "Every event, plan and measured instant", "events")
    timeline = frame(entry, "timeline").sort("occurred_at", "origin", "kind", nulls_last=True)
    if timeline.is_empty():
        show("empty", "No event was recorded and no step was planned.")
        return
    times = [None if at is None else clock_text(moments.seconds(at)) for at in timeline["occurred_at"]]
    told = timeline.with_columns(
        pl.Series("time", times, pl.String), pl.Series("kind", map(readable, timeline["kind"]))
    )
    columns = {
        "time": moments.axis_title.capitalize(), "origin": "Origin", "kind": "What", "step": "Step", "actor": "Who",
        "channel": "Channel", "text": "Text", "occurred_at": "Instant (UTC)", "source": "Source",
    }  # fmt: skip
    show_frame(told, file_name(entry.key, "timeline"), "Events, planned steps and measured instants", columns=columns)
