"""More of what is killed in the crash tests: collectors that follow a log, and those that ask or listen by HTTP."""

from __future__ import annotations

import http.client
import json
import struct
import threading
from itertools import count
from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.commits.offsets_topic import OffsetsTopic
from rtoanalytics_collectors.connectors import ConnectRest, ConnectStatusTopic
from rtoanalytics_collectors.event_listener import EventListener
from rtoanalytics_collectors.http_get import Endpoint
from rtoanalytics_collectors.kafka import LogEnds, Metadata
from rtoanalytics_collectors.kafka.facts import Partition
from rtoanalytics_collectors.kafka.tailing import Drain, TailRecord
from rtoanalytics_collectors.metrics import MetricsEndpoint
from rtoanalytics_collectors.mirror import Checkpoints, OffsetSyncs
from rtoanalytics_collectors.sampling import Heart
from tests.collectors.crash_programs import KEYS, busy_spool, sampled
from tests.collectors.http_server import HttpServer
from tests.collectors.offsets_encoding import commit, key, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from rtoanalytics_collectors.kafka import TopicPartition

    Record = tuple[bytes, bytes]

_RECORDS_A_LOOK = 20


class GrowingTail:
    """A tail of a topic whose one partition grows between two looks."""

    def __init__(self, topic: str, record: Callable[[int], Record]) -> None:
        """`record` gives key and value of the record at an offset."""
        self.topic = topic
        self.next_offsets = {0: 0}
        self._record = record

    def drain(self) -> Drain:
        """Some new records, written just now."""
        first = self.next_offsets[0]
        self.next_offsets = {0: first + _RECORDS_A_LOOK}
        numbered = ((offset, *self._record(offset)) for offset in range(first, first + _RECORDS_A_LOOK))
        at = now_us()
        records = [TailRecord(0, *taken, (), at // 1000, "CreateTime", None, is_history=False) for taken in numbered]
        return Drain(records, at, {})

    def close(self) -> None:
        """Nothing is open."""


class GrowingOffsets:
    """A cluster whose one partition of `__consumer_offsets` gets commits of one group."""

    name = "primary"

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """One partition of each topic."""
        return Metadata(
            "cluster", 1, (), tuple(Partition(topic, 0, leader=1, replicas=1, in_sync=1) for topic in topics)
        )

    def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, LogEnds]:
        """The end before this look's records."""
        return {partition: LogEnds(0, 0, 0) for partition in partitions}

    def tail(self, topic: str, _partitions: Iterable[int]) -> GrowingTail:
        """The partition, followed."""
        return GrowingTail(topic, _commit)


def _commit(offset: int) -> Record:
    topic, partition = KEYS[offset % len(KEYS)]
    return key(1, "sink", topic, partition), commit(3, offset, 0, "", now_us() // 1000)


def _checkpoint(offset: int) -> Record:
    value = struct.pack(">hqq", 0, offset, offset) + text("")
    return text("sink") + text("payments") + struct.pack(">i", 0), value


def _sync(offset: int) -> Record:
    return text("payments") + struct.pack(">i", 0), struct.pack(">qq", offset, offset)


def _status(offset: int) -> Record:
    state = ("RUNNING", "FAILED")[offset % 2]
    return b"status-task-sink-%d" % (offset % 3), json.dumps({"state": state, "worker_id": "w"}).encode()


def offsets_topic(bundle: Path, pipe: Connection) -> None:
    """Commits of a group, from the log of commits."""
    sampled(bundle, pipe, OffsetsTopic(GrowingOffsets(), "sink"))


def checkpoints(bundle: Path, pipe: Connection) -> None:
    """Checkpoints of MirrorMaker 2."""
    sampled(bundle, pipe, Checkpoints(GrowingTail("checkpoints", _checkpoint), "primary", "recovery"))


def offset_syncs(bundle: Path, pipe: Connection) -> None:
    """Offset syncs of MirrorMaker 2."""
    sampled(bundle, pipe, OffsetSyncs(GrowingTail("syncs", _sync), "primary", "recovery"))


def status_topic(bundle: Path, pipe: Connection) -> None:
    """Connectors, by the topic of their status."""
    sampled(bundle, pipe, ConnectStatusTopic(GrowingTail("connect-status", _status)))


def connect_rest(bundle: Path, pipe: Connection) -> None:
    """Connectors, by the interface of a worker."""
    state = {"state": "RUNNING", "worker_id": "w"}
    document = {"sink": {"status": {"connector": state, "tasks": [{"id": 0, **state}]}}}
    with HttpServer({"/connectors": (200, "application/json", json.dumps(document).encode())}) as server:
        sampled(bundle, pipe, ConnectRest(server.url))


def metrics_endpoint(bundle: Path, pipe: Connection) -> None:
    """A page of metrics."""
    page = b"".join(b'lag{partition="%d"} 17\n' % number for number in range(50))
    with HttpServer({"/metrics": (200, "text/plain; version=0.0.4", page)}) as server:
        sampled(bundle, pipe, MetricsEndpoint("exporter", Endpoint(f"{server.url}/metrics")))


def event_listener(bundle: Path, pipe: Connection) -> None:
    """Events that are posted: one that was answered is on disk."""
    with busy_spool(bundle, "events") as spool, busy_spool(bundle, "heartbeats") as beats:
        listener = EventListener(bundle, spool, Heart(beats), "127.0.0.1:0", interval_seconds=0.05)
        threading.Thread(target=listener.run, args=(threading.Event(),), daemon=True).start()
        caller = http.client.HTTPConnection(listener.target, timeout=10)
        for number in count(1):
            caller.request("POST", "/events", '{"kind": "note"}', {"Content-Type": "application/json"})
            answer = caller.getresponse()
            answer.read()
            assert answer.status == http.client.CREATED
            pipe.send(("events", number))


TAILS = {
    program.__name__: program
    for program in (
        offsets_topic,
        checkpoints,
        offset_syncs,
        status_topic,
        connect_rest,
        metrics_endpoint,
        event_listener,
    )
}
"""What is captured, by name."""


def run(name: str, bundle: Path, pipe: Connection) -> None:
    """Capture until killed."""
    TAILS[name](bundle, pipe)
