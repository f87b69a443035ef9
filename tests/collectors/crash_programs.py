"""What is killed in the crash tests: each function captures into a bundle until its process is killed.

After every portion it says on a pipe how many rows of a table are on disk since it began: those must be found again.
"""

from __future__ import annotations

import json
import sqlite3
from itertools import count
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.acks import AckRecorder
from rtoanalytics_collectors.applied.sqlite import AppliedTable, SqliteApplied
from rtoanalytics_collectors.capture import command
from rtoanalytics_collectors.clients import ClientStats
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.kafka import LogRecord, new_producer
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.log_records import LogReader
from rtoanalytics_collectors.partitions import Partitions
from rtoanalytics_collectors.sampling import Heart, SamplingLoop
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.statistics_files import ClientStatsFiles
from rtoanalytics_collectors.watermarks import Watermarks

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Collector

KEYS = [("payments", partition) for partition in range(6)]
ROTATE_SECONDS = 0.04
"""Segments so short that a process is also killed while it seals one."""
_INTERVAL_SECONDS = 0.01


def busy_spool(bundle: Path, table: str) -> Spool:
    """A spool that flushes and seals all the time."""
    return Spool(bundle, table, flush_seconds=0.01, rotate_seconds=ROTATE_SECONDS)


def fake_cluster() -> FakeCluster:
    """A cluster with some records and commits."""
    logs = {key: [LogRecord(n, b"id-%d" % n, [], n, "CreateTime", 0) for n in range(200)] for key in KEYS}
    return FakeCluster(logs=logs, committed={"sink": dict.fromkeys(KEYS, 7)})


def statistics() -> dict[str, Any]:
    """A document of librdkafka's statistics."""
    return {"client_id": "app", "type": "producer", "txmsgs": 3, "brokers": {}, "time": now_us() // 1_000_000}


def sampled(bundle: Path, pipe: Connection, collector: Collector) -> None:
    """Any collector in its loop."""
    spools = {table: busy_spool(bundle, table) for table in collector.tables}
    with busy_spool(bundle, "heartbeats") as beats:
        loop = SamplingLoop(collector, spools, Heart(beats), _INTERVAL_SECONDS)
        while True:
            loop.tick()
            for spool in (*spools.values(), beats):
                spool.flush()
                pipe.send((spool.table.name, spool.durable_rows))


def watermarks(bundle: Path, pipe: Connection) -> None:
    """Log ends of a cluster."""
    sampled(bundle, pipe, Watermarks(fake_cluster(), KEYS))


def partitions(bundle: Path, pipe: Connection) -> None:
    """Partition and broker states."""
    sampled(bundle, pipe, Partitions(fake_cluster(), ["payments"]))


def commits(bundle: Path, pipe: Connection) -> None:
    """Commits of a group, polled."""
    sampled(bundle, pipe, Commits(fake_cluster(), "sink", KEYS))


def applied(bundle: Path, pipe: Connection) -> None:
    """Effects in a database that grows while it is read."""
    path = bundle.parent / "sink.sqlite"
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("create table if not exists effects (id integer primary key, at integer)")
        layout = AppliedTable("effects", {"applied_at": "at"}, "id", application_id=True)
        collector = SqliteApplied("store", path, layout, "primary")

        class Growing:
            """Adds effects before each look."""

            tables, target = collector.tables, collector.target

            def collect(self) -> dict[str, list[dict[str, Any]]]:
                database.executemany("insert into effects (at) values (?)", [(now_us(),)] * 20)
                return collector.collect()

        sampled(bundle, pipe, Growing())


def statistics_files(bundle: Path, pipe: Connection) -> None:
    """Client statistics that an application writes to a file."""
    path = bundle.parent / "stats.jsonl"
    collector = ClientStatsFiles(str(path), "primary")

    class Growing:
        """Adds a document before each look."""

        tables, target = collector.tables, collector.target

        def collect(self) -> dict[str, list[dict[str, Any]]]:
            with path.open("a") as file:
                file.write(json.dumps({**statistics(), "time": now_us() // 1_000_000 + 1}) + "\n")
            return dict(collector.collect())

    sampled(bundle, pipe, Growing())


def client_stats(bundle: Path, pipe: Connection) -> None:
    """Client statistics as the client calls back with them."""
    with busy_spool(bundle, "client_stats") as rows, busy_spool(bundle, "heartbeats") as beats:
        stats = ClientStats(rows, Heart(beats), cluster="primary", client_id="app", interval_seconds=_INTERVAL_SECONDS)
        while True:
            stats(json.dumps(statistics()))
            rows.flush()
            pipe.send(("client_stats", rows.durable_rows))


def log_records(bundle: Path, pipe: Connection) -> None:
    """Logs that are read back, again and again."""
    with busy_spool(bundle, "log_records") as records, busy_spool(bundle, "log_scans") as scans:
        reader = LogReader(fake_cluster(), records, scans)
        for number in count():
            reader.scan({KEYS[number % len(KEYS)]: 0})
            for spool in (records, scans):
                pipe.send((spool.table.name, spool.durable_rows))


def acks(bundle: Path, pipe: Connection) -> None:
    """A producing application with the recorder around its producer; the cluster is in its process."""
    producer = new_producer({"test.mock.num.brokers": 1, "linger.ms": 1})
    recorder = AckRecorder.wrap(producer, bundle, cluster="primary", client_id="app")
    capture = recorder._capture
    assert capture is not None
    capture.acks._rotate_seconds = ROTATE_SECONDS
    for number in count():
        recorder.produce("payments", b"value", f"id-{number}")
        recorder.poll(0)
        if number % 200 == 0:
            capture.beat()
            pipe.send(("acks", capture.acks.durable_rows))


PROGRAMS = {
    program.__name__: program
    for program in (
        watermarks,
        partitions,
        commits,
        applied,
        statistics_files,
        client_stats,
        log_records,
        acks,
    )
}
"""What is captured, by name."""


def collect(bundle: Path) -> None:
    """`rto collect` as the command runs it."""
    command.collect(bundle, (), seconds=None, interval_seconds=0.05, host="host")


def run(name: str, bundle: Path, pipe: Connection) -> None:
    """Capture until killed."""
    PROGRAMS[name](bundle, pipe)
