"""Clients and cluster: how produces ended, who lost and regained a connection, who led which partition when."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from rtoanalytics import charts
from rtoanalytics.charts.elapsed import clock_text, moments_of
from rtoanalytics.report.wording import number
from rtoanalytics_app.markup import Column, show, show_table
from rtoanalytics_app.parts import file_name, offer_table, show_chart, show_frame
from rtoanalytics_app.reading import frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from rtoanalytics.charts import Moments
    from rtoanalytics_app.entries import Entry

_ROLES: Mapping[str, str] = MappingProxyType(
    {"acked": "accent", "failed": "fail", "indeterminate": "inconclusive", "aborted": "not_applicable"}
)
_KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "connection": ("Connections of clients to brokers", "No client said to which broker it was connected."),
        "rebalances": ("Rebalances each consumer has counted", "No consumer counted its rebalances."),
        "group": ("States of consumer groups", "The state of no group was captured."),
        "partition": ("Leader and replicas in sync of each partition", "The state of no partition was captured."),
        "controller": ("Controller of each cluster", "No broker was named as the controller."),
        "connector": ("Connectors and their tasks", "No connector was watched."),
    }
)
_CLIENTS = (
    Column("client_id", "Client"),
    Column("role", "Role"),
    Column("retries", "Retries", is_number=True),
    Column("timeouts", "Timeouts", is_number=True),
    Column("request_errors", "Errors", is_number=True),
    Column("rebalances", "Rebalances", is_number=True),
    Column("brokers_before", "Brokers before", is_number=True),
    Column("brokers_after", "Brokers after", is_number=True),
    Column("disconnected", "Disconnected", is_number=True),
    Column("reconnected", "Connected again", is_number=True),
    Column("at_end", "Connected at the end"),
)
_OUTCOMES = (
    Column("cluster", "Cluster"),
    Column("outcome", "Outcome"),
    Column("error", "Error"),
    Column("acks", "acks"),
    Column("produces", "Produces", is_number=True),
    Column("first", "First", is_number=True),
    Column("last", "Last", is_number=True),
)


def show_page(entry: Entry) -> None:
    """Produces, clients, then what the cluster went through."""
    scorecard = entry.scorecard
    assert scorecard is not None  # noqa: S101  (pages of a drill are shown with a scorecard only)
    moments = moments_of(scorecard)
    _produces(entry, moments)
    _clients(entry, moments)
    stretches = frame(entry, "state_stretches")
    for kind, (title, lacking) in _KINDS.items():
        if kind == "group":
            show("title", "Cluster, groups and connectors", "cluster")
        rows = stretches.filter(pl.col("kind") == kind)
        if rows.is_empty():
            show("empty", lacking)
        else:
            show_chart(charts.state_stretches(rows, moments, title=title), file_name(entry.key, kind))
    if not stretches.is_empty():
        show("title", "Every stretch", "stretches")
        columns = {
            "kind": "Kind", "subject": "What", "place": "Where", "state": "State", "is_sound": "Working",
            "from_at": "From (UTC)", "until_at": "Until (UTC)", "samples": "Samples",
            "first_progress": "Progress from", "last_progress": "to",
        }  # fmt: skip
        show_frame(
            stretches,
            file_name(entry.key, "state_stretches"),
            "States from when until when",
            columns=columns,
            height=320,
        )


def _produces(entry: Entry, moments: Moments) -> None:
    show("title", "Produce outcomes", "produces")
    outcomes = frame(entry, "produce_outcomes")
    if outcomes.is_empty():
        show("empty", "No produce outcome was captured.")
        return
    steps = frame(entry, "produces_by_step")
    summed = steps.group_by("outcome", "step_at").agg(pl.sum("produces")).sort("outcome", "step_at")
    counts = charts.Counts("outcome", "produces", "step_at", "a step", _ROLES, is_end=True)
    chart = charts.counts_by_kind(summed, counts, moments, title="How produces ended, step by step")
    show_chart(chart, file_name(entry.key, "produces"))
    rows = [
        {
            **row,
            "error": row["error"] or "—",
            "acks": row["acks"] or "—",
            "produces": number(row["produces"]),
            "first": _since(row["first_at"], moments),
            "last": _since(row["last_at"], moments),
        }
        for row in outcomes.to_dicts()
    ]
    show_table("Produce outcomes", _OUTCOMES, rows, is_caption_hidden=True)
    offer_table(outcomes, file_name(entry.key, "produce_outcomes"))


def _clients(entry: Entry, moments: Moments) -> None:
    show("title", "Clients", "clients")
    summary = frame(entry, "client_summary")
    if summary.is_empty():
        show("empty", "No client statistics were captured.")
        return
    rows = [
        {
            **{name: number(value) for name, value in row.items()},
            "disconnected": _since(row["disconnected_at"], moments),
            "reconnected": _since(row["reconnected_at"], moments),
            "at_end": "yes" if row["is_connected_at_end"] else "no" if row["was_connected"] else "never seen",
        }
        for row in summary.to_dicts()
    ]
    show_table("What each client went through from the clock start on", _CLIENTS, rows)
    offer_table(summary, file_name(entry.key, "client_summary"))


def _since(instant: datetime | None, moments: Moments) -> str:
    return number(None) if instant is None else clock_text(moments.seconds(instant))
