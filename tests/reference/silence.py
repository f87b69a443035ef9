"""Heartbeats: how silence is told from zero, and when a sample is too old to count."""

from dataclasses import dataclass
from itertools import pairwise
from math import inf

from .drill_facts import Drill, conditions_of, downstreams_of, groups_of, micros
from .evidence import COLUMNS, Row, Tables

ALIASES = {
    "log_ends": ["watermarks"],
    "partitions": ["partition_states"],
    "brokers": ["broker_states"],
    "groups": ["group_states"],
    "connectors": ["connector_states"],
    "clients": ["client_stats"],
    "mirror": ["checkpoints", "offset_syncs"],
}
SEPARATORS = ":/-@"
STALE_US_WITHOUT_HEARTBEATS = 30_000_000
BEFORE_US = 180_000_000
"""The longest time before its first heartbeat that a collector vouches for."""
OF_APPLICATIONS = {"acks", "client_stats"}
"""Tables that applications fill themselves: a series begins when its application does."""


@dataclass(frozen=True)
class Silence:
    """The holes and the stale limit of one table, as far as it is about certain subjects."""

    holes: list[tuple[float, float]]  # open spans
    stale_us: int

    def covers(self, instant_us: int) -> bool:
        """Tell whether an instant lies in a hole."""
        return any(start < instant_us < end for start, end in self.holes)

    def overlaps(self, start_us: int, end_us: int) -> bool:
        """Tell whether the window (start, end] overlaps a hole."""
        return any(start < end_us and start_us < end for start, end in self.holes)


def silence_of(drill: Drill, tables: Tables, table: str, subjects: set[str] | None) -> Silence:
    """Return the holes and the stale limit of the collectors of a table that cover any of `subjects` (None: all)."""
    names = names_in(drill)
    series: dict[tuple[str, str | None], list[Row]] = {}
    for beat in heartbeats_of(tables, table):
        if subjects is None or beat["target"] not in names or beat["target"] in subjects:
            series.setdefault((beat["collector"], beat["target"]), []).append(beat)
    born_us = alive_from_us(heartbeats_of(tables, table)) if table in OF_APPLICATIONS else inf
    holes = [hole for beats in series.values() for hole in holes_of(beats, born_us)]
    intervals = [interval_us(beat) for beats in series.values() for beat in beats]
    return Silence(holes, 3 * max(intervals) if intervals else STALE_US_WITHOUT_HEARTBEATS)


def names_in(drill: Drill) -> set[str]:
    """Return the names a heartbeat's target may restrict it to; any other target is the whole table."""
    connectors = {name for condition in conditions_of(drill) for name in condition.get("connectors") or []}
    downstreams = {downstream.name for downstream in downstreams_of(drill)}
    return set(drill.get("clusters") or {}) | set(groups_of(drill)) | downstreams | connectors


def heartbeats_of(tables: Tables, table: str) -> list[Row]:
    """Return the heartbeats of a table's own collectors or, where it has none, of those named after no table."""
    own = [beat for beat in tables["heartbeats"] if table in tables_of(beat["collector"])]
    return own or [beat for beat in tables["heartbeats"] if not tables_of(beat["collector"])]


def tables_of(collector: str) -> list[str]:
    """Return the tables a collector is named after: a table or an alias, perhaps with a separator and more."""
    for name, tables in [*((table, [table]) for table in COLUMNS), *ALIASES.items()]:
        if collector == name or (collector.startswith(name) and collector[len(name)] in SEPARATORS):
            return tables
    return []


def alive_from_us(beats: list[Row]) -> float:
    """Return when the earliest of several series begins to be alive."""
    series: dict[tuple[str, str | None], list[Row]] = {}
    for beat in beats:
        series.setdefault((beat["collector"], beat["target"]), []).append(beat)
    return min((holes_of(of_one, inf)[0][1] for of_one in series.values()), default=inf)


def holes_of(beats: list[Row], born_us: float) -> list[tuple[float, float]]:
    """Return the open spans without a sign of life: between beats, before the first or `born_us`, after the last."""
    beats = sorted(beats, key=lambda beat: (beat["occurred_at"], beat["interval_seconds"]))
    first, last = beats[0], beats[-1]
    alive_us = first["occurred_at"] - min(3 * interval_us(first), BEFORE_US)
    holes: list[tuple[float, float]] = [(-inf, min(born_us, alive_us))]
    for earlier, later in pairwise(beats):
        if later["occurred_at"] - earlier["occurred_at"] > 3 * interval_us(earlier):
            holes.append((earlier["occurred_at"], later["occurred_at"]))
    return [*holes, (last["occurred_at"] + 3 * interval_us(last), inf)]


def interval_us(beat: Row) -> int:
    """Return the interval a heartbeat promises."""
    return micros(beat["interval_seconds"])
