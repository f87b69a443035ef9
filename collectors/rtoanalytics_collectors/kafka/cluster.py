"""A cluster, asked through confluent-kafka.

Committed offsets are asked through a consumer that never subscribes, not through the Admin API: librdkafka aborts
the whole process (`eonce->refcnt > 0`) when a coordinator-targeted Admin request loses its connection
(confluentinc/librdkafka#3663, #4605, fix proposed in #5397), which is exactly what happens in a drill.
"""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import (
    QUIET,
    Client,
    admin_module,
    asking,
    client_module,
    new_consumer,
    raise_partition_errors,
)
from rtoanalytics_collectors.kafka.facts import Broker, LogEnds, LogRecord, Metadata, Partition, TopicPartition
from rtoanalytics_collectors.kafka.reading import READ_ISOLATION, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_GRACE_SECONDS = 1.0
_IMPATIENT = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250}
"""A collector looks again soon: the default of 10 s would add holes of its own to an outage."""


class KafkaCluster:
    """A cluster asked through confluent-kafka. Thread-safe, but for `read`, which opens a consumer of its own."""

    def __init__(
        self,
        name: str,
        bootstrap_servers: str,
        settings: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float = 1.0,
    ) -> None:
        """Name a cluster; nothing is asked of it yet. `timeout_seconds` bounds each question."""
        self.name = name
        self._settings = {**_IMPATIENT, **(settings or {}), "bootstrap.servers": bootstrap_servers}
        self._timeout_seconds = timeout_seconds
        self._admin = admin_module().AdminClient({**QUIET, **self._settings})
        self._group_readers: dict[str, Client] = {}

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Brokers, and the partitions of `topics`. Raises TransientError when no broker answers."""
        wanted = set(topics)
        with asking(self.name, "metadata"):
            answer = self._admin.list_topics(timeout=self._timeout_seconds)
        brokers = tuple(Broker(b.id, f"{b.host}:{b.port}") for b in answer.brokers.values())
        found = [topic for name, topic in answer.topics.items() if name in wanted]
        partitions = tuple(_partition(topic.topic, p) for topic in found for p in topic.partitions.values())
        return Metadata(answer.cluster_id, _known(answer.controller_id), brokers, partitions)

    def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, LogEnds]:
        """Log start and log end of `partitions`; those whose leader does not answer in time are left out.

        Asked leader by leader, so that a dead broker only silences its own partitions. Raises TransientError when
        none answers.
        """
        wanted = set(partitions)
        metadata = self.metadata({topic for topic, _ in wanted})
        futures: list[tuple[TopicPartition, Future[Any], Future[Any]]] = []
        for group in _by_leader(metadata.partitions, wanted):
            earliest, latest = self._ask_offsets(group, "earliest"), self._ask_offsets(group, "latest")
            futures += [(key, earliest[key], latest[key]) for key in group]
        ends = {key: _log_ends(start, end) for key, start, end in futures if _answered(start, end, self._wait)}
        if wanted and not ends:
            msg = f'cluster "{self.name}": no partition leader answered ListOffsets within {self._timeout_seconds} s'
            raise TransientError(msg)
        return ends

    def committed_offsets(self, group_id: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Committed offsets (the next offset to read). Raises TransientError when the coordinator does not answer."""
        client = client_module()
        wanted = [client.TopicPartition(topic, partition) for topic, partition in partitions]
        with asking(self.name, f"committed offsets of group {group_id}"):
            answer = self._group_reader(group_id).committed(wanted, timeout=self._timeout_seconds)
            raise_partition_errors(answer)
        return {(tp.topic, tp.partition): tp.offset for tp in answer if tp.offset >= 0}

    def close(self) -> None:
        """Close the connections that questions about groups have opened."""
        while self._group_readers:
            self._group_readers.popitem()[1].close()

    def read(self, topic_partition: TopicPartition, from_offset: int, to_offset: int) -> Iterator[LogRecord]:
        """Records of one partition, offset order, without joining or committing for any group.

        Raises TransientError when the partition stops answering before `to_offset`.
        """
        if from_offset < to_offset:
            yield from read(self._reader(), topic_partition, from_offset, to_offset, self.name)

    @property
    def _wait(self) -> float:
        return self._timeout_seconds + _GRACE_SECONDS

    def _ask_offsets(self, group: list[TopicPartition], which: str) -> dict[TopicPartition, Future[Any]]:
        client, spec = client_module(), getattr(admin_module().OffsetSpec, which)()
        question = {client.TopicPartition(topic, partition): spec for topic, partition in group}
        with asking(self.name, "log ends"):
            futures = self._admin.list_offsets(question, request_timeout=self._timeout_seconds)
        return {(tp.topic, tp.partition): future for tp, future in futures.items()}

    def _group_reader(self, group_id: str) -> Client:
        """A consumer that only asks for offsets: it never subscribes, so it never becomes a member of the group."""
        if group_id not in self._group_readers:
            settings = {**self._settings, "group.id": group_id, "enable.auto.commit": False}
            self._group_readers[group_id] = new_consumer(settings)
        return self._group_readers[group_id]

    def _reader(self) -> Client:
        return new_consumer(
            {
                **self._settings,
                "group.id": "rtoanalytics-log-reader",  # a name the client insists on; nothing is committed for it
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "isolation.level": READ_ISOLATION,
            }
        )


def _known(number: int | None) -> int | None:
    return None if number is None or number < 0 else number


def _partition(topic: str, partition: Client) -> Partition:
    return Partition(topic, partition.id, _known(partition.leader), len(partition.replicas), len(partition.isrs))


def _by_leader(partitions: Iterable[Partition], wanted: set[TopicPartition]) -> list[list[TopicPartition]]:
    groups: dict[int | None, list[TopicPartition]] = {}
    for partition in partitions:
        if (partition.topic, partition.partition) in wanted and partition.leader is not None:
            groups.setdefault(partition.leader, []).append((partition.topic, partition.partition))
    return list(groups.values())


def _answered(start: Future[Any], end: Future[Any], timeout_seconds: float) -> bool:
    """Whether both questions have an offset for an answer.

    A leader that was too slow can come back as a result without an error, whose offset is -1001.
    """
    try:
        return all(future.exception(timeout_seconds) is None and future.result().offset >= 0 for future in (start, end))
    except FutureTimeoutError:
        return False


def _log_ends(start: Future[Any], end: Future[Any]) -> LogEnds:
    return LogEnds(start.result().offset, end.result().offset)
