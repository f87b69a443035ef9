"""Commits: records as a broker writes them to `__consumer_offsets`, and the collector that reads them."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from benchmarks.measuring import CHECKOUT
from benchmarks.mock_cluster import BUSY_PRODUCER, insist
from benchmarks.timing import Run, bundle_folder, timed
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.commits.decoding import decode
from rtoanalytics_collectors.commits.group_log import SOURCE, GroupLog
from rtoanalytics_collectors.commits.offsets_topic import OffsetsTopic, partition_of
from rtoanalytics_collectors.kafka import KafkaCluster, new_producer
from rtoanalytics_collectors.sampling import Heart, SamplingLoop
from rtoanalytics_collectors.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rtoanalytics_collectors.spool import Row

GROUP = "payments-sink"
COMMITS = 100_000
COMMITTED_PARTITIONS = 64
COMMITS_PER_SECOND = 20_000
COMMIT_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.5
_TICK_SECONDS = 0.01
_PATIENCE_SECONDS = 60.0


def decoding() -> Run:
    """Bytes into facts, in one thread."""
    records = [_commit(number) for number in range(COMMITS)]
    return timed(lambda: len([decode(key, value) for key, value in records]))


def keeping() -> Run:
    """Bytes into sealed rows, without a cluster."""
    records = [_commit(number) for number in range(COMMITS)]

    def keep() -> int:
        log = GroupLog("primary", GROUP, now_us())
        log.end_history()
        with bundle_folder() as bundle, Spool(bundle, "commits") as spool:
            for offset, (key, value) in enumerate(records):
                log.take(offset, decode(key, value), None, 0)
                if offset % 10_000 == 0:
                    spool.append(*log.sample(0)["commits"])
            spool.append(*log.sample(0)["commits"])
        return spool.durable_rows

    return timed(keep)


def backlog(bootstrap_servers: str, number: int) -> Run:
    """Commits that were made while nobody looked, in batches as large as they come; each run has its own group."""
    group = f"{GROUP}-{number}"
    with _collected(bootstrap_servers, group) as collected:
        write_commits(bootstrap_servers, group, collected.partition, COMMITS, None)
        return timed(lambda: collected.until(COMMITS))


def steady(bootstrap_servers: str) -> Run:
    """Commits at a steady rate, from another process."""
    commits = round(COMMITS_PER_SECOND * COMMIT_SECONDS)
    with _collected(bootstrap_servers, GROUP) as collected:
        arguments = [bootstrap_servers, GROUP, collected.partition, commits, COMMITS_PER_SECOND]
        command = [sys.executable, "-m", "benchmarks.commits", *map(str, arguments)]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout  # noqa: S101  (a pipe was asked for)
            writer.stdout.readline()  # it is ready
            run = timed(lambda: collected.until(commits, pause_seconds=LOOK_EVERY_SECONDS))
        return Run(run.records, run.seconds, run.cpu_seconds, collected.told())


class Collected:
    """A collector of one group in its loop, and its evidence."""

    def __init__(self, bundle: Path, bootstrap_servers: str, group: str, stack: ExitStack) -> None:
        cluster = KafkaCluster("primary", bootstrap_servers)
        write_commits(bootstrap_servers, group, 0, 1, None)  # the topic is there
        self.partition = partition_of(group, len(cluster.metadata([SOURCE]).partitions))
        collector = OffsetsTopic(cluster, group, interval_seconds=LOOK_EVERY_SECONDS)
        self._spools = {table: stack.enter_context(Spool(bundle, table)) for table in collector.tables}
        heart = Heart(stack.enter_context(Spool(bundle, "heartbeats")))
        self._ages_us: list[int] = []
        self._loop = SamplingLoop(collector, self._spools, heart, LOOK_EVERY_SECONDS, self._note_age)
        stack.callback(cluster.close)
        stack.callback(collector.close)
        self._look_first()
        self._before = self._spools["commits"].rows
        self._ages_us.clear()

    def told(self) -> dict[str, float]:
        """How old the oldest commit of a look was when its row was on disk, in the worst look; and the looks."""
        counts = self._loop.counts
        return {"oldest_seconds": max(self._ages_us) / 1e6, "looks": counts.ticks, "looks_cut_short": counts.missed}

    def _note_age(self, table: str, rows: Sequence[Row]) -> None:
        if table == "commits" and rows:
            self._ages_us.append(now_us() - rows[0]["committed_at"])

    def _look_first(self) -> None:
        """What is there at the first look that succeeds is history, and what comes later is captured."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._loop.counts.last_beat_at is None:
            if time.monotonic() > deadline:
                raise RuntimeError(self._loop.counts.last_failure)
            self._loop.tick()

    def until(self, commits: int, *, pause_seconds: float = 0.0) -> int:
        """Look until so many commits are on disk."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        spool, due = self._spools["commits"], time.monotonic()
        while (found := spool.durable_rows - self._before) < commits:
            if time.monotonic() > deadline:
                msg = f"{found} of {commits} commits came within {_PATIENCE_SECONDS:.0f} s"
                raise RuntimeError(msg)
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + pause_seconds, time.monotonic())
            self._loop.tick()
        return found


def write_commits(
    bootstrap_servers: str, group: str, partition: int, commits: int, commits_per_second: float | None
) -> None:
    """Write commits to `__consumer_offsets`, all at once or at a rate, in small bursts."""
    producer = new_producer({**BUSY_PRODUCER, "bootstrap.servers": bootstrap_servers})
    started, written = time.monotonic(), 0
    while written < commits:
        due = commits
        if commits_per_second is not None:
            due = min(commits, int((time.monotonic() - started) * commits_per_second))
        for number in range(written, due):
            key, value = _commit(number, group)
            insist(producer, SOURCE, value, key, partition)
        written = due
        producer.poll(0)
        time.sleep(_TICK_SECONDS)
    producer.flush()


def _commit(number: int, group: str = GROUP) -> tuple[bytes, bytes]:
    """Key and value of one commit, as a broker of today writes them (key version 1, value version 3)."""
    group_id, topic = group.encode(), b"payments"
    key = struct.pack(f">hh{len(group_id)}sh{len(topic)}s", 1, len(group_id), group_id, len(topic), topic)
    value = struct.pack(">hqihq", 3, number, 0, 0, now_us() // 1000)
    return key + struct.pack(">i", number % COMMITTED_PARTITIONS), value


@contextmanager
def _collected(bootstrap_servers: str, group: str) -> Iterator[Collected]:
    with bundle_folder() as bundle, ExitStack() as stack:
        yield Collected(bundle, bootstrap_servers, group, stack)


def _write() -> None:
    bootstrap_servers, group, partition, commits, commits_per_second = sys.argv[1:]
    print("ready", flush=True)
    write_commits(bootstrap_servers, group, int(partition), int(commits), float(commits_per_second))


if __name__ == "__main__":
    _write()
