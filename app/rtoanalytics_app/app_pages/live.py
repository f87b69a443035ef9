"""Live: a drill that is being captured, so that everybody in it looks at the same page. It refreshes by itself."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl
import streamlit as st

from rtoanalytics import charts
from rtoanalytics.charts import Moments, Quantity
from rtoanalytics.charts.elapsed import clock_text
from rtoanalytics.live import WINDOW_SECONDS, LiveCapture, LiveView
from rtoanalytics.report.wording import number, seconds, simulated_sentence
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, offer_table, show_chart, show_frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rtoanalytics_app.entries import Entry

REFRESH_SECONDS = 2.0
_RECENT_SECONDS = 10
"""Rates are told over so many of the last whole seconds."""
_ROLES: Mapping[str, str] = MappingProxyType(
    {"acked": "accent", "failed": "fail", "indeterminate": "inconclusive", "aborted": "not_applicable"}
)
_HEARTBEATS = (
    Column("verdict", "State"),
    Column("collector", "Collector", is_head=True),
    Column("target", "Target"),
    Column("age", "Last sign of life", is_number=True),
    Column("interval", "Interval", is_number=True),
    Column("rows", "Rows so far", is_number=True),
)
_STEPS = (
    Column("step", "Step"),
    Column("planned", "Planned", is_number=True),
    Column("happened", "Happened", is_number=True),
    Column("late", "Against the plan", is_number=True),
)


def show_page(entry: Entry) -> None:
    """The last minutes of a capture; every few seconds anew."""
    capture = _opened(str(entry.root), entry.root)
    paused = st.toggle("Pause", key="live-pause", help="Stop refreshing, to read in peace")
    st.fragment(_show, run_every=None if paused else REFRESH_SECONDS)(entry, capture)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(root: str, _path: Path) -> LiveCapture:  # noqa: ARG001  (kept by it)
    return LiveCapture(_path)


def _show(entry: Entry, capture: LiveCapture) -> None:
    look = capture.look()
    if not look.is_capturing and not look.is_recent:
        show("empty", "No capture is running in this bundle. The other pages show what came of the last one.")
        return
    moments = Moments(look.clock_started_at or look.looked_at, look.clock_started_at)
    if look.simulated_clusters:
        show("simulated", simulated_sentence({"drill": {"simulated_clusters": look.simulated_clusters}}))
    show("tiles", _tiles(look))
    _steps(look)
    _lag(entry, look, moments)
    _traffic(entry, look, moments)
    _heartbeats(look)
    show("title", "Events, newest first", "events")
    if look.events.is_empty():
        show("empty", "No event has been recorded yet: rto mark BUNDLE inject")
    else:
        columns = {
            "occurred_at": "Instant (UTC)", "kind": "What", "step": "Step", "actor": "Who", "text": "Text",
            "source": "Source",
        }  # fmt: skip
        show_frame(look.events, file_name(entry.key, "events"), "Events so far", columns=columns, height=260)


def _tiles(look: LiveView) -> list[dict[str, Any]]:
    clock, step = look.clock_started_at, look.next_step
    overdue = look.heartbeats.filter(pl.col("is_overdue")).height
    acked = look.acks.filter(pl.col("outcome") == "acked")
    since = clock_text(float(int((look.looked_at - clock).total_seconds()))) if clock else "not started"
    return [
        _tile(
            "Capture",
            "running" if look.is_capturing else "ended",
            f"looked at {look.looked_at:%H:%M:%S} UTC",
            "pass" if look.is_capturing else "inconclusive",
        ),
        _tile("Since clock start", since, f"{clock:%H:%M:%S} UTC" if clock else "no such event yet"),
        _tile("Next step", step["step"] if step else "none", _due(step, look) if step else "every step has happened"),
        _tile("Behind now", number(_latest_lag(look.burn_down)), "records, all groups"),
        _tile("Acked", _rate(acked, look), f"{look.captured_rows['acks']:,} outcomes so far"),
        _tile("Applied", _rate(look.applied, look), f"{look.captured_rows['applied']:,} rows so far"),
        _tile(
            "Collectors",
            f"{look.heartbeats.height - overdue} alive",
            f"{overdue} overdue" if overdue else "none overdue",
            "fail" if overdue and look.is_capturing else "",
        ),
    ]


def _tile(name: str, value: str, note: str, verdict: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "note": note, "verdict": verdict}


def _due(step: Mapping[str, Any], look: LiveView) -> str:
    if step["planned_at"] is None:
        return "no planned time, or the clock has not started"
    left = (step["planned_at"] - look.looked_at).total_seconds()
    return f"due in {seconds(float(round(left)))}" if left >= 0 else f"{seconds(float(round(-left)))} past its time"


def _rate(counts: pl.DataFrame, look: LiveView) -> str:
    """Rows a second over the last whole seconds."""
    until = pl.lit(look.looked_at).dt.truncate("1s")
    age = (until - pl.col("second_at")).dt.total_seconds()
    recent = counts.filter(age.is_between(1, _RECENT_SECONDS))
    return f"{number(round(recent['rows'].sum() / _RECENT_SECONDS, 1))}/s"


def _latest_lag(burn_down: pl.DataFrame) -> int | None:
    last = burn_down.sort("step_at").group_by("group_id", maintain_order=True).last()
    known = last["lag_records"].drop_nulls()
    return int(known.sum()) if known.len() else None


def _steps(look: LiveView) -> None:
    if not look.runbook:
        return
    show("title", "Runbook", "runbook")
    clock = look.clock_started_at

    def since(instant: Any) -> str:  # noqa: ANN401
        return clock_text(round((instant - clock).total_seconds(), 1)) if instant and clock else "—"

    rows = [
        {
            "step": step["step"],
            "planned": since(step["planned_at"]),
            "happened": since(step["occurred_at"]),
            "late": _late(step["late_seconds"]),
        }
        for step in look.runbook
    ]
    show_table("Runbook steps", _STEPS, rows, is_caption_hidden=True)


def _late(late: float | None) -> str:
    if late is None:
        return "—"
    return f"{abs(late):.1f} s {'late' if late > 0 else 'early'}"


def _lag(entry: Entry, look: LiveView, moments: Moments) -> None:
    show("title", f"Lag, last {WINDOW_SECONDS // 60} minutes", "lag")
    if look.burn_down["lag_records"].drop_nulls().is_empty():
        show("empty", "No lag is known yet: it takes a commit and a log end of every partition.")
        return
    for group in sorted(set(look.burn_down["group_id"])):
        steps = look.burn_down.filter(pl.col("group_id") == group)
        if steps["lag_records"].drop_nulls().is_empty():
            continue
        lag = Quantity("lag_records", "lag", "records behind", "lag_records_high")
        show_chart(
            charts.series(steps, [lag], moments, title=f"{group}: records behind"),
            file_name(entry.key, group, "live-lag"),
        )


def _traffic(entry: Entry, look: LiveView, moments: Moments) -> None:
    show("title", "Acks and applied rows", "traffic")
    if look.acks.is_empty() and look.applied.is_empty():
        show("empty", "Nothing was acknowledged or applied in these minutes.")
        return
    if not look.acks.is_empty():
        counts = charts.Counts("outcome", "rows", "second_at", "a second", _ROLES)
        chart = charts.counts_by_kind(look.acks, counts, moments, title="Produce outcomes by second")
        show_chart(chart, file_name(entry.key, "live-acks"))
    if not look.applied.is_empty():
        counts = charts.Counts("downstream", "rows", "second_at", "a second", {})
        chart = charts.counts_by_kind(look.applied, counts, moments, title="Applied rows by second")
        show_chart(chart, file_name(entry.key, "live-applied"))


def _heartbeats(look: LiveView) -> None:
    show("title", "Heartbeats", "heartbeats")
    if look.heartbeats.is_empty():
        show("empty", "No collector has given a sign of life yet.")
        return
    rows = [
        {
            "verdict": "fail" if row["is_overdue"] else "pass",
            "symbol": "✗" if row["is_overdue"] else "✓",
            "word": "overdue" if row["is_overdue"] else "alive",
            "collector": row["collector"],
            "target": row["target"] or "everything",
            "age": f"{row['age_seconds']:.1f} s ago",
            "interval": f"{row['interval_seconds']:g} s",
            "rows": number(row["rows"]),
        }
        for row in look.heartbeats.to_dicts()
    ]
    show_table("Heartbeats of every collector", _HEARTBEATS, rows, is_caption_hidden=True)
    offer_table(look.heartbeats, "heartbeats")
