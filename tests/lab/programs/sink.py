"""A sink of the lab: consumes a topic and applies each record to a table, with the commit discipline it is told.

`commit: after` applies, then commits (a crash in between applies again); `commit: before` commits, then applies (a
crash skips). It applies a record again when it gets it again, unless it is told to be idempotent.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

from rtoanalytics_collectors.clients import ClientStats
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.demo.pipes import HANG_UP, Message, Orders, report
from rtoanalytics_collectors.identity import from_header
from rtoanalytics_collectors.kafka import Client, client_errors, new_consumer, topic_partitions
from rtoanalytics_collectors.sampling import Heart
from rtoanalytics_collectors.spool import Spool

_BATCH_RECORDS = 100
_POLL_SECONDS = 0.05
_COMMIT_SECONDS = 0.5
_STATS_SECONDS = 1.0
_CREATE = """
create table if not exists payments (
    effect_id integer primary key autoincrement,
    topic text not null,
    partition integer not null,
    record_offset integer not null,
    payment_id text,
    applied_at_us integer not null
)
"""
_INSERT = "insert into payments (topic, partition, record_offset, payment_id, applied_at_us) values (?, ?, ?, ?, ?)"
_INSERT_NEW = (
    "insert into payments (topic, partition, record_offset, payment_id, applied_at_us) "
    "select ?1, ?2, ?3, ?4, ?5 where not exists (select 1 from payments where payment_id = ?4)"
)
_INDEX = "create index if not exists payments_by_id on payments (payment_id)"


class Sink:
    """Consumes, applies, commits."""

    def __init__(self, consumer: Client, database: sqlite3.Connection, order: Message) -> None:
        self._consumer = consumer
        self._database = database
        self._topic = order["topic"]
        self._record_id = from_header(order["id_header"])
        self._is_commit_first = order["commit"] == "before"
        self._insert = _INSERT_NEW if order["is_idempotent"] else _INSERT
        self._next: dict[int, int] = {}
        """Next offset by partition, of what may be committed."""
        self._uncommitted = 0
        self._committed_at = time.monotonic()
        self._crash_records: int | None = None
        self._stop_at: dict[int, int] | None = None
        self._position: dict[int, int] = {}

    def run(self, orders: Orders) -> None:
        """Work until told to stop and everything up to the given offsets is applied, or until hung up on."""
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        while not self._is_done():
            order = orders.take()
            if order == HANG_UP:
                return
            if order and order["do"] == "crash":
                self._crash_records = order["records"]
            if order and order["do"] == "stop":
                self._stop_at = {int(partition): offset for partition, offset in order["at"].items()}
            self._step()
        self._commit()

    def _is_done(self) -> bool:
        stop_at = self._stop_at
        return stop_at is not None and all(self._position.get(p, 0) >= offset for p, offset in stop_at.items())

    def _step(self) -> None:
        messages = self._poll()
        if self._is_commit_first:
            self._remember(messages)
            self._commit()
            self._crash_if_told(len(messages))
            self._apply(messages)
        else:
            self._apply(messages)
            self._remember(messages)
            self._crash_if_told(self._uncommitted)
            if self._crash_records is None and time.monotonic() - self._committed_at >= _COMMIT_SECONDS:
                self._commit()

    def _poll(self) -> list[Any]:
        return [message for message in self._consumer.consume(_BATCH_RECORDS, _POLL_SECONDS) if message.error() is None]

    def _remember(self, messages: list[Any]) -> None:
        for message in messages:
            self._next[message.partition()] = message.offset() + 1
        self._uncommitted += len(messages)

    def _apply(self, messages: list[Any]) -> None:
        """Apply a batch in one transaction; its rows become visible at the commit, which is their instant."""
        if messages:
            with self._database:
                applied_at = now_us()
                self._database.executemany(self._insert, [self._payment(message, applied_at) for message in messages])
        for message in messages:
            self._position[message.partition()] = message.offset() + 1

    def _payment(self, message: Client, applied_at: int) -> tuple[Any, ...]:
        payment_id = self._record_id(message.key(), message.headers() or ())
        return (message.topic(), message.partition(), message.offset(), payment_id, applied_at)

    def _commit(self) -> None:
        """Commit what may be committed. What the coordinator does not take stays for the next time."""
        if self._next:
            try:
                self._consumer.commit(offsets=topic_partitions(self._topic, self._next), asynchronous=False)
                self._uncommitted = 0
                self._next.clear()
            except client_errors() as error:
                report(commit_error=error.args[0].name())
        self._committed_at = time.monotonic()

    def _crash_if_told(self, caught_records: int) -> None:
        """End as a process ends that is killed: nothing is closed, nothing is committed."""
        if self._crash_records is not None and caught_records >= self._crash_records:
            os.kill(os.getpid(), signal.SIGKILL)

    def _assigned(self, _consumer: object, partitions: list[Any]) -> None:
        report(assigned=len(partitions))

    def _revoked(self, _consumer: object, _partitions: list[Any]) -> None:
        self._commit()
        self._lost(_consumer, _partitions)

    def _lost(self, _consumer: object, _partitions: list[Any]) -> None:
        """What was not committed belongs to whoever gets the partition next."""
        self._next.clear()
        self._uncommitted = 0
        self._position.clear()
        report(assigned=0)


def open_database(path: Path) -> sqlite3.Connection:
    """The downstream's database, readable by others while it is written."""
    database = sqlite3.connect(path)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    database.execute(_CREATE)
    database.execute(_INDEX)
    return database


def main() -> None:
    """Wait for the first order, work until the next one, leave the group."""
    orders = Orders()
    order = orders.wait()
    if order == HANG_UP:
        return
    bundle, name, cluster = Path(order["bundle"]), order["client_id"], order["cluster"]
    with (
        Spool(bundle, "heartbeats", f"heartbeats-{name}") as beats,
        Spool(bundle, "client_stats", f"client_stats-{name}") as statistics,
    ):
        stats = ClientStats(statistics, Heart(beats), cluster=cluster, client_id=name, interval_seconds=_STATS_SECONDS)
        settings = {
            "client.id": name,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "heartbeat.interval.ms": 500,
            "session.timeout.ms": 6_000,
            "fetch.wait.max.ms": 100,
            **order["settings"],
            **stats.settings(),
        }
        consumer = new_consumer(settings)
        database = open_database(Path(order["database"]))
        try:
            Sink(consumer, database, order).run(orders)
        finally:
            consumer.close()
            database.close()


if __name__ == "__main__":
    main()
