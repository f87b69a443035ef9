"""What a scenario knows without the evidence: what the producer was told, what the sink holds, what the logs hold.

From it `expected_totals` counts, record by record, what the ledger of the captured bundle must say.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.tools import StoredRecord

Coordinates = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True)
class Settled:
    """What the producer's own delivery callback was told of one record."""

    record_id: str
    error: str | None
    partition: int
    offset: int


@dataclass(frozen=True)
class Applied:
    """One row of the sink's own table."""

    partition: int
    offset: int
    record_id: str


@dataclass(frozen=True)
class Consumed:
    """What Kafka's verifiable consumer says that it got of one partition in one poll."""

    partition: int
    min_offset: int
    max_offset: int
    count: int


@dataclass(frozen=True)
class Truth:
    """One conducted drill, from the outside."""

    sent: int
    settled: list[Settled]
    applied: list[Applied]
    log: dict[int, list[StoredRecord]]
    """The segment files of every partition after the drill, by kafka-dump-log."""
    committed: dict[int, int]
    """The group's last committed offset by partition."""
    superseded: dict[int, list[StoredRecord]] = field(default_factory=dict)
    """What a leader's segment files held before its log was truncated."""
    consumed: list[Consumed] = field(default_factory=list)
    tool_commits: list[tuple[int, int]] = field(default_factory=list)
    """Partition and offset of each commit that Kafka's verifiable consumer says succeeded."""
    notes: dict[str, int] = field(default_factory=dict)
    """Numbers that only this scenario knows."""

    @property
    def acked(self) -> list[Settled]:
        """Records that the producer was told are in the log."""
        return [record for record in self.settled if record.error is None]

    @property
    def unsettled(self) -> list[Settled]:
        """Records whose produce ended in an error."""
        return [record for record in self.settled if record.error is not None]

    @property
    def logged_ids(self) -> dict[Coordinates, str]:
        """Record id by coordinates, of what the segment files hold."""
        return ids_by_coordinates(self.log)


def ids_by_coordinates(log: dict[int, list[StoredRecord]]) -> dict[Coordinates, str]:
    """Record id by coordinates, of application records in segment files."""
    return {
        (partition, record.offset): _id_of(record.payload or "")
        for partition, records in log.items()
        for record in records
        if not record.is_control
    }


def _id_of(payload: str) -> str:
    """The id in a payment; any other payload is its own id."""
    return str(json.loads(payload)["id"]) if payload.startswith("{") else payload


def expected_totals(truth: Truth) -> dict[str, int]:
    """The totals of the ledger, counted record by record from what is known outside the evidence."""
    logged = truth.logged_ids
    effects = Counter(((row.partition, row.offset), row.record_id) for row in truth.applied)
    totals: Counter[str] = Counter()
    for record in truth.acked:
        place = (record.partition, record.offset)
        is_missing = logged.get(place) != record.record_id
        totals["acked"] += 1
        totals["log_missing"] += is_missing
        totals["overwritten"] += is_missing and place in logged
        totals[_fate(effects[place, record.record_id], record, truth, is_missing=is_missing)] += 1
    acked = {((record.partition, record.offset), record.record_id) for record in truth.acked}
    totals["unacked"] = sum(count for effect, count in effects.items() if effect not in acked)
    totals["applied"] = len(truth.applied)
    return {name: totals[name] for name in COUNTED}


COUNTED = (
    "acked",
    "once",
    "duplicated",
    "lost",
    "skipped",
    "pending",
    "applied",
    "unacked",
    "log_missing",
    "overwritten",
)


def _fate(effects: int, record: Settled, truth: Truth, *, is_missing: bool) -> str:
    if effects:
        return "once" if effects == 1 else "duplicated"
    if is_missing:
        return "lost"
    return "skipped" if truth.committed.get(record.partition, 0) > record.offset else "pending"


def read_journal(path: Path) -> list[Settled]:
    """What the producer's callback wrote down."""
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Settled(e["id"], e["error"], e["partition"], e["offset"]) for e in entries]


def read_sink(database: Path) -> list[Applied]:
    """Every row of the sink's table."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("select partition, record_offset, payment_id from payments order by effect_id")
        return [Applied(*row) for row in rows]
