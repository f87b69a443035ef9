"""The payments sink of the demo: an ordinary consumer that applies each record to SQLite.

It is not idempotent: applying a record again adds a second row, as a second transfer would. By default it commits
after it has applied (a crash replays); told to, it commits before it applies (a crash skips).
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
from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.pipes import HANG_UP, Message, Orders, report
from rtoanalytics_collectors.kafka import Client, client_errors, new_consumer, topic_partitions
from rtoanalytics_collectors.sampling import Heart
from rtoanalytics_collectors.spool import Spool

_BATCH_RECORDS = 100
_POLL_SECONDS = 0.1
_CRASH_POLL_SECONDS = 2.0
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


class Sink:
    """Consumes, applies, commits."""

    def __init__(self, consumer: Client, database: sqlite3.Connection, *, is_commit_first: bool) -> None:
        self._consumer = consumer
        self._database = database
        self._is_commit_first = is_commit_first
        self._next: dict[int, int] = {}
        """Next offset by partition, of what may be committed."""
        self._uncommitted = 0
        self._committed_at = time.monotonic()
        self._announce_records: int | None = None
        self._crash_records: int | None = None
        self._stop_at: dict[int, int] | None = None
        self._position: dict[int, int] = {}

    def run(self, orders: Orders) -> None:
        """Work until told to stop and everything up to the given offsets is applied, or until hung up on."""
        self._consumer.subscribe([flow.TOPIC], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._forget)
        while not self._is_done():
            order = orders.take()
            if order == HANG_UP:
                return
            if order:
                self._obey(order)
            self._step()
        self._commit()

    def _obey(self, order: Message) -> None:
        if order["do"] == "announce":
            self._announce_records = order["records"]
        if order["do"] == "crash":
            self._crash_records = order["records"]
        if order["do"] == "stop":
            self._stop_at = {int(partition): offset for partition, offset in order["at"].items()}

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
            self._announce_if_told()
            self._crash_if_told(self._uncommitted)
            self._commit_when_due()

    def _poll(self) -> list[Any]:
        """The next messages; when a crash is ordered, at least as many as it must catch, if they come."""
        if self._crash_records is not None and self._is_commit_first:
            messages = self._consumer.consume(self._crash_records, _CRASH_POLL_SECONDS)
        else:
            messages = self._consumer.consume(_BATCH_RECORDS, _POLL_SECONDS)
        return [message for message in messages if message.error() is None]

    def _remember(self, messages: list[Any]) -> None:
        for message in messages:
            self._next[message.partition()] = message.offset() + 1
        self._uncommitted += len(messages)

    def _apply(self, messages: list[Any]) -> None:
        """Apply a batch in one transaction; its rows become visible at the commit, which is their instant."""
        if not messages:
            return
        time.sleep(len(messages) * flow.APPLY_SECONDS)
        with self._database:
            applied_at = now_us()
            self._database.executemany(_INSERT, [_payment(message, applied_at) for message in messages])
        for message in messages:
            self._position[message.partition()] = message.offset() + 1

    def _commit_when_due(self) -> None:
        if self._crash_records is None and time.monotonic() - self._committed_at >= flow.COMMIT_SECONDS:
            self._commit()

    def _commit(self) -> None:
        """Commit what may be committed. What the coordinator does not take stays for the next time."""
        if self._next:
            try:
                self._consumer.commit(offsets=topic_partitions(flow.TOPIC, self._next), asynchronous=False)
                self._uncommitted = 0
                self._next.clear()
            except client_errors() as error:
                report(commit_error=error.args[0].name())
        self._committed_at = time.monotonic()

    def _announce_if_told(self) -> None:
        """Say once that so many records are applied and not committed."""
        if self._announce_records is not None and self._uncommitted >= self._announce_records:
            report(uncommitted=self._uncommitted)
            self._announce_records = None

    def _crash_if_told(self, caught_records: int) -> None:
        """End as a process ends that is killed: nothing is closed, nothing is committed."""
        if self._crash_records is not None and caught_records >= self._crash_records:
            os.kill(os.getpid(), signal.SIGKILL)

    def _assigned(self, _consumer: object, partitions: list[Any]) -> None:
        report(assigned=len(partitions))

    def _revoked(self, _consumer: object, partitions: list[Any]) -> None:
        self._commit()
        self._forget(_consumer, partitions)

    def _forget(self, _consumer: object, partitions: list[Any]) -> None:
        """What was not committed belongs to whoever gets the partition next."""
        self._next.clear()
        self._uncommitted = 0
        self._position.clear()
        report(revoked=len(partitions))


def _payment(message: Client, applied_at: int) -> tuple[Any, ...]:
    payment_id = flow.RECORD_ID(message.key(), message.headers() or ())
    return (message.topic(), message.partition(), message.offset(), payment_id, applied_at)


def open_database(path: Path) -> sqlite3.Connection:
    """The downstream's database, readable by others while it is written."""
    database = sqlite3.connect(path)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    database.execute(_CREATE)
    return database


def settings_of(order: Message, stats: ClientStats) -> dict[str, Any]:
    """Client settings: manual commits, a short session so that the group notices a death."""
    return {
        "bootstrap.servers": order["bootstrap_servers"],
        "client.id": flow.CONSUMER_ID,
        "group.id": flow.GROUP_ID,
        "session.timeout.ms": flow.SESSION_TIMEOUT_MS,
        "heartbeat.interval.ms": 1_000,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 100,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 500,
        **stats.settings(),
    }


def main() -> None:
    """Wait for the first order, work until the next one, leave the group."""
    orders = Orders()
    order = orders.wait()
    if order == HANG_UP:
        return
    bundle = Path(order["bundle"])
    with (
        Spool(bundle, "heartbeats", "heartbeats-consumer") as beats,
        Spool(bundle, "client_stats", "client_stats-consumer") as client_rows,
    ):
        stats = ClientStats(
            client_rows, Heart(beats), cluster=flow.CLUSTER, client_id=flow.CONSUMER_ID, interval_seconds=_STATS_SECONDS
        )
        consumer = new_consumer(settings_of(order, stats))
        database = open_database(Path(order["database"]))
        try:
            Sink(consumer, database, is_commit_first=order["is_commit_first"]).run(orders)
        finally:
            consumer.close()
            database.close()


if __name__ == "__main__":
    main()
