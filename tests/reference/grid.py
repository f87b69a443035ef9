"""The steps at which lag and conditions are looked at: whole steps since the epoch, while evidence was live."""

from .drill_facts import Drill, micros, step_seconds_of
from .evidence import Row, Tables
from .silence import tables_of

# What was read back afterwards (log_records, log_scans, cluster_info) is not live.
LIVE_INSTANTS = {
    "acks": "acked_at",
    "commits": "committed_at",
    "watermarks": "observed_at",
    "partition_states": "observed_at",
    "broker_states": "observed_at",
    "group_states": "observed_at",
    "connector_states": "observed_at",
    "client_stats": "observed_at",
    "metrics": "observed_at",
    "events": "occurred_at",
    "heartbeats": "occurred_at",
    "checkpoints": "emitted_at",
    "offset_syncs": "emitted_at",
}


def is_live(table: str, row: Row) -> bool:
    """Tell whether a row was captured while the drill ran: not the heartbeats of who only reads back afterwards."""
    filled = tables_of(row["collector"]) if table == "heartbeats" else []
    return not filled or any(name in LIVE_INSTANTS or name == "applied" for name in filled)


def grid_steps_us(drill: Drill, tables: Tables) -> list[int]:
    """Return every step of the drill. Applied rows may end the grid; they begin it only where there is nothing else."""
    live = [
        row[column] for table, column in LIVE_INSTANTS.items() for row in tables.get(table, []) if is_live(table, row)
    ]
    applied = [row["applied_at"] for row in tables.get("applied", [])]
    if not live + applied:
        return []
    first_us = min(live or applied)
    last_us = max(live + applied)
    step_us = micros(step_seconds_of(drill))
    first_step = -(-first_us // step_us)
    last_step = last_us // step_us
    return [k * step_us for k in range(first_step, last_step + 1)]
