"""Random evidence for a drill: a short story of producing, trouble and catching up, and accidents of every kind."""

import random
from collections.abc import Callable

from .drill_facts import Drill
from .evidence import COLUMNS, OPTIONAL_COLUMNS, Row, Tables
from .random_appliers import applied
from .random_consumers import commits
from .random_definitions import chance
from .random_producers import acks, log_records, log_scans, mirror_logs
from .random_samples import (
    broker_states,
    client_stats,
    cluster_info,
    connector_states,
    events,
    group_states,
    heartbeats,
    metrics,
    mirror_rows,
    partition_states,
    watermarks,
)
from .random_story import Story, random_story

Maker = Callable[[Story, Tables], list[Row]]

# In order: later tables look at earlier ones.
MAKERS: list[tuple[str, Maker]] = [
    ("acks", acks),
    ("log_scans", log_scans),
    ("log_records", log_records),
    ("commits", commits),
    ("applied", applied),
    ("watermarks", watermarks),
    ("partition_states", partition_states),
    ("broker_states", broker_states),
    ("group_states", group_states),
    ("connector_states", connector_states),
    ("client_stats", client_stats),
    ("metrics", metrics),
    ("events", events),
    ("checkpoints", mirror_rows),
    ("offset_syncs", mirror_rows),
    ("cluster_info", cluster_info),
    ("heartbeats", heartbeats),
]
LOSSES = {
    "acks": 0.03,
    "log_records": 0.05,
    "log_scans": 0.08,
    "commits": 0.04,
    "applied": 0.05,
    "watermarks": 0.12,
    "events": 0.03,
}


def random_evidence(rng: random.Random, drill: Drill) -> Tables:
    """Return valid evidence for a drill."""
    story = random_story(rng, drill)
    made: Tables = {}
    for table, make in MAKERS:
        made[table] = make(story, made)
        if table == "acks":
            mirror_logs(story)
    return {table: captured(rng, table, rows) for table, rows in made.items() if is_captured(rng, table, rows)}


def is_captured(rng: random.Random, table: str, rows: list[Row]) -> bool:
    """Tell whether a table is there at all; now and then it is there and empty."""
    return not chance(rng, LOSSES.get(table, 0.05)) and (bool(rows) or chance(rng, 0.3))


def captured(rng: random.Random, table: str, rows: list[Row]) -> list[Row]:
    """Leave out optional columns, capture some rows twice, and put rows in any order."""
    absent = {column for column in OPTIONAL_COLUMNS[table] if chance(rng, 0.04)}
    rows = [{column: row.get(column) for column in COLUMNS[table] if column not in absent} for row in rows]
    if chance(rng, 0.4):
        rows += [dict(row) for row in rows if chance(rng, 0.06)]
    rng.shuffle(rows)
    return rows
