"""A drill worth telling: one broker lost, service restored in 39 to 41 s, some records applied twice, a few never.

The scorecard and the result frames are written here by hand, in the shape of the contract, so that reports and charts
can be compared as bytes without an analysis. Every call returns fresh objects.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

CLOCK = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
"""Clock start."""
INSTANT = pl.Datetime("us", "UTC")
Schema = Mapping[str, Any]
GROUPS = {"payments-sink": ("payments-db", 2300.0), "ledger-export": ("ledger-files", 900.0)}
PARTITIONS = range(6)

Scorecard = dict[str, Any]
Frames = dict[str, pl.DataFrame]


def after(seconds: float) -> datetime:
    """An instant, in seconds after the clock start."""
    return CLOCK + timedelta(seconds=seconds)


def scorecard() -> Scorecard:
    """The answer, in the shape of scorecard.json."""
    found: Scorecard = json.loads(Path(__file__).with_name("story.json").read_text("utf-8"))
    return found


def frames() -> Frames:
    """Every result frame, by name."""
    return {
        "ledger": pl.DataFrame(scorecard()["ledger"]).with_columns(pl.col("partition").cast(pl.Int32)),
        "findings": findings(),
        "burn_down": burn_down(),
        "recovery": recovery_steps(),
        "timeline": timeline(),
        "coverage": pl.DataFrame(coverage_rows(), schema=COVERAGE),
        "lag": pl.DataFrame(schema={"group_id": pl.String, "step_at": INSTANT, "lag_records": pl.Int64}),
    }


def lag_of(group_id: str, second: int) -> int:
    """Total lag of a group at a step: a plateau, a jump, a burn-down."""
    peak, drained = {"payments-sink": (12_880, 41), "ledger-export": (5_040, 29)}[group_id]
    wobble = round(18 * math.sin(second * 1.7) + 22)
    if second < 2 or second >= drained:
        return wobble
    if second <= 5:
        return round(peak * (second - 1) / 4)
    share = (drained - second) / (drained - 5)
    return int(round(peak * share**1.15) + wobble)


def burn_down() -> pl.DataFrame:
    """One row per group and second."""
    rows = [
        {
            "group_id": group_id,
            "step_at": after(second),
            "cluster": "primary",
            "lag_records": lag_of(group_id, second),
            "lag_records_high": lag_of(group_id, second) + round(rate * (0.9 if 2 <= second < 41 else 0.02))
            if second < 149
            else None,
            "partitions_unknown": 0,
        }
        for group_id, (_, rate) in GROUPS.items()
        for second in range(-30, 151)
    ]
    schema: Schema = {
        "group_id": pl.String,
        "step_at": INSTANT,
        "cluster": pl.String,
        "lag_records": pl.Int64,
        "lag_records_high": pl.Int64,
        "partitions_unknown": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def recovery_steps() -> pl.DataFrame:
    """State of every condition at every second from the clock start."""
    bad = {"all": (2, 40), "lag:payments-sink": (2, 40), "lag:ledger-export": (3, 28), "applied:payments-db": (3, 35)}
    rows = [
        {"condition": name, "step_at": after(second), "state": state_at(bad.get(name), second), "measured": None}
        for name in ("all", "lag:payments-sink", "lag:ledger-export", "produce_errors", "applied:payments-db")
        for second in range(151)
    ]
    return pl.DataFrame(
        rows, schema={"condition": pl.String, "step_at": INSTANT, "state": pl.String, "measured": pl.Float64}
    )


def state_at(bad: tuple[int, int] | None, second: int) -> str:
    """Bad inside its stretch, unknown around the hole of the watermarks, good elsewhere."""
    if bad and bad[0] <= second < bad[1]:
        return "bad"
    is_unsure = bad is not None and (second == bad[1] or 50 <= second < 57)
    return "unknown" if is_unsure else "good"


FINDINGS: Schema = {
    "kind": pl.String, "downstream": pl.String, "group_id": pl.String, "cluster": pl.String, "topic": pl.String,
    "partition": pl.Int32, "fate": pl.String, "start_offset": pl.Int64, "end_offset": pl.Int64, "records": pl.Int64,
    "first_acked_at": INSTANT, "last_acked_at": INSTANT, "first_applied_at": INSTANT, "last_applied_at": INSTANT,
    "max_applied": pl.Int64, "occurred_at": INSTANT, "regained_at": INSTANT, "reset_to": pl.String,
}  # fmt: skip


def findings() -> pl.DataFrame:
    """Runs and commits that need a second look."""
    place = {"downstream": "payments-db", "group_id": "payments-sink", "cluster": "primary", "topic": "payments"}
    rows: list[dict[str, Any]] = [
        run(place, 2, "duplicated", 14_210, 140, -1.0, 6.0),
        run(place, 4, "duplicated", 13_877, 60, -0.8, 1.5),
        run(place, 4, "duplicated", 13_960, 25, 2.2, 3.1),
        run(place, 4, "skipped", 14_002, 12, 3.4, 4.0),
        run(place | {"downstream": "ledger-files", "group_id": "ledger-export"}, 1, "pending", 24_028, 9, 147.0, 149.0),
        commit(place, "commit_rewind", 2, 14_210, 140, 9.4) | {"downstream": None, "regained_at": after(10.2)},
        commit(place, "commit_jump", 4, 14_002, 12, 9.8),
    ]
    return pl.DataFrame(rows, schema=FINDINGS)


def run(
    place: dict[str, Any], partition: int, fate: str, start: int, records: int, first: float, last: float
) -> dict[str, Any]:
    """One run of records that share a fate."""
    is_applied = fate == "duplicated"
    return {
        **place,
        "kind": "run",
        "partition": partition,
        "fate": fate,
        "start_offset": start,
        "end_offset": start + records,
        "records": records,
        "first_acked_at": after(first),
        "last_acked_at": after(last),
        "first_applied_at": after(first + 0.2) if is_applied else None,
        "last_applied_at": after(10.1) if is_applied else None,
        "max_applied": 2 if is_applied else 0,
    }


def commit(place: dict[str, Any], kind: str, partition: int, start: int, records: int, second: float) -> dict[str, Any]:
    """One commit that needs a second look."""
    return {
        **place,
        "kind": kind,
        "partition": partition,
        "start_offset": start,
        "end_offset": start + records,
        "records": records,
        "occurred_at": after(second),
    }


def timeline() -> pl.DataFrame:
    """What was planned, recorded and measured."""
    rows = [
        (0, "event", "inject", None, "chaos bot", "kill -9 of broker 2"),
        (10, "planned", "detect", "detect", None, None),
        (9, "event", "detect", "detect", "on-call", "page received"),
        (15, "planned", "declare", "declare", None, None),
        (14, "event", "declare", "declare", "incident commander", "scenario declared"),
        (20, "planned", "decide", "decide", None, None),
        (18, "event", "decide", "decide", "incident commander", "wait for leader election, do not switch"),
        (2, "measured", "impact", None, None, None),
        (5.1, "measured", "first_ack", None, None, None),
        (9.4, "measured", "first_commit", None, None, None),
        (41, "measured", "restored", None, None, None),
        (60, "planned", "stand_down", "stand down", None, None),
        (66, "event", "stand_down", "stand down", "incident commander", "all clear"),
    ]
    names = ("occurred_at", "origin", "kind", "step", "actor", "text")
    schema: Schema = {"occurred_at": INSTANT, **dict.fromkeys(names[1:], pl.String)}
    frame = pl.DataFrame([(after(row[0]), *row[1:]) for row in rows], schema=schema, orient="row")
    return frame.with_columns(channel=pl.lit(None, pl.String), source=pl.lit("drill.yaml", pl.String)).sort(
        "occurred_at", "origin"
    )


COVERAGE: Schema = {
    "table_name": pl.String, "collector": pl.String, "target": pl.String,
    "first_row_at": INSTANT, "last_row_at": INSTANT, "row_count": pl.Int64,
    "heartbeats": pl.Int64, "first_heartbeat_at": INSTANT, "last_heartbeat_at": INSTANT, "interval_seconds": pl.Float64,
    "holes": pl.Int64, "longest_hole_seconds": pl.Float64,
    "is_before_clock": pl.Boolean, "is_after_restored": pl.Boolean, "is_complete": pl.Boolean,
    "clock_offset_ms": pl.Float64, "clock_error_ms": pl.Float64,
}  # fmt: skip


def coverage_rows() -> list[dict[str, Any]]:
    """Signs of life of every collector; watermarks has a hole, log_scans no heartbeats."""
    counts = {
        "acks": 144_555,
        "applied": 288_900,
        "commits": 2_160,
        "watermarks": 2_106,
        "client_stats": 540,
        "events": 6,
    }
    alive = [
        {
            "table_name": table, "collector": table, "target": None,
            "first_row_at": after(-30), "last_row_at": after(150), "row_count": count, "heartbeats": 180,
            "first_heartbeat_at": after(-30), "last_heartbeat_at": after(150), "interval_seconds": 1.0,
            "holes": 1 if table == "watermarks" else 0,
            "longest_hole_seconds": 9.0 if table == "watermarks" else 0.0,
            "is_before_clock": True, "is_after_restored": True, "is_complete": table != "watermarks",
            "clock_offset_ms": 0.4, "clock_error_ms": 0.2,
        }
        for table, count in counts.items()
    ]  # fmt: skip
    scanned = dict.fromkeys(COVERAGE) | {
        "table_name": "log_scans", "first_row_at": after(149), "last_row_at": after(150), "row_count": 6,
        "heartbeats": 0, "holes": 0, "is_complete": False,
    }  # fmt: skip
    return [*alive, scanned]
