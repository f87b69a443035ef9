"""A cluster, asked through confluent-kafka.

Committed offsets are asked through a consumer that never subscribes, not through the Admin API: librdkafka aborts
the whole process (`eonce->refcnt > 0`) when a coordinator-targeted Admin request loses its connection
(confluentinc/librdkafka#3663, #4605, fix proposed in #5397), which is exactly what happens in a drill.
"""

from __future__ import annotations

import time
from contextlib import suppress
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
from rtoanalytics_collectors.kafka.facts import (
    READ_ISOLATION,
    Broker,
    LogBatch,
    LogEnds,
    Metadata,
    Partition,
    TopicPartition,
    is_simulated,
)
from rtoanalytics_collectors.kafka.fences import append_fences
from rtoanalytics_collectors.kafka.log_ends import LogEndQuestions
from rtoanalytics_collectors.kafka.reading import new_reader, read_batches
from rtoanalytics_collectors.kafka.tailing import KafkaTail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_IMPATIENT = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250}
"""A collector looks again soon: the default of 10 s would add holes of its own to an outage."""
_FIRST_SHARE = 0.4
"""The share of the timeout that the first question for metadata is given."""
_GRACE_SECONDS = 0.25
_EPOCH_SECONDS = 5.0
"""How long a leader epoch is told again while the leader stays the same."""


class KafkaCluster:
    """A cluster asked through confluent-kafka. Thread-safe; `read_batches` and `tail` open a reader of their own."""

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
        self._bootstrap_servers = bootstrap_servers
        self._given = dict(settings or {})
        self._settings = {**_IMPATIENT, **self._given, "bootstrap.servers": bootstrap_servers}
        self._timeout_seconds = timeout_seconds
        self._admin = admin_module().AdminClient({**QUIET, **self._settings})
        self._questions = LogEndQuestions(name, self._admin, timeout_seconds)
        self._epochs: dict[TopicPartition, tuple[int, int | None, float]] = {}
        self._group_readers: dict[str, Client] = {}
        self._idle_readers: dict[str, Client] = {}

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Brokers, and the partitions of `topics`. Raises TransientError when no broker answers.

        Brokers in KRaft mode name any live broker as the controller, another one at every question: the controller is
        only told of the simulated cluster, which names its own.
        """
        wanted = set(topics)
        answer = self._list_topics()
        brokers = tuple(Broker(b.id, f"{b.host}:{b.port}") for b in answer.brokers.values())
        found = [topic for name, topic in answer.topics.items() if name in wanted]
        partitions = tuple(self._partition(topic.topic, p) for topic in found for p in topic.partitions.values())
        controller_id = _known(answer.controller_id) if is_simulated(answer.cluster_id) else None
        return Metadata(answer.cluster_id, controller_id, brokers, partitions)

    def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, LogEnds]:
        """The ends of `partitions`; those whose leader does not answer in time are left out.

        A dead broker only silences its own partitions, and holds a look up for a quarter of the timeout at most.
        Raises TransientError when no leader answers.
        """
        wanted = set(partitions)
        metadata = self.metadata({topic for topic, _ in wanted})
        by_leader = _by_leader(metadata.partitions, wanted)
        ends = self._questions.ask(by_leader)
        if wanted and not ends:
            msg = f'cluster "{self.name}": no partition leader answered ListOffsets within {self._timeout_seconds} s'
            raise TransientError(msg)
        leaders = {key: leader for leader, keys in by_leader.items() for key in keys}
        self._epochs |= {key: (leaders[key], end.leader_epoch, time.monotonic()) for key, end in ends.items()}
        return ends

    def committed_offsets(self, group_id: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Committed offsets (the next offset to read). Raises TransientError when the coordinator does not answer."""
        client = client_module()
        wanted = [client.TopicPartition(topic, partition) for topic, partition in partitions]
        with asking(self.name, f"committed offsets of group {group_id}"):
            answer = self._group_reader(group_id).committed(wanted, timeout=self._timeout_seconds)
            raise_partition_errors(answer)
        return {(tp.topic, tp.partition): tp.offset for tp in answer if tp.offset >= 0}

    def racks(self) -> dict[int, str]:
        """Racks by broker id; brokers without one are left out. Raises TransientError when no broker answers."""
        with asking(self.name, "a description of the cluster"):
            future = self._admin.describe_cluster(request_timeout=self._timeout_seconds)
            nodes = future.result(self._timeout_seconds + _GRACE_SECONDS).nodes
        return {node.id: node.rack for node in nodes if node.rack}

    def close(self) -> None:
        """Close the connections that were kept for the next question, or the next partition."""
        for readers in (self._group_readers, self._idle_readers):
            while readers:
                readers.popitem()[1].close()

    def read_batches(
        self, topic_partition: TopicPartition, from_offset: int, to_offset: int, isolation: str = READ_ISOLATION
    ) -> Iterator[LogBatch]:
        """Records of one partition, offset order, without joining or committing for any group.

        Its connections are kept for the next partition, until `close`. Raises TransientError when the partition stops
        answering before `to_offset`.
        """
        if from_offset >= to_offset:
            return
        reader = self._idle_readers.pop(isolation, None) or new_reader(self._settings, isolation)
        try:
            yield from read_batches(reader, topic_partition, from_offset, to_offset, self.name)
            reader.unassign()
        except BaseException:
            reader.close()
            raise
        if self._idle_readers.setdefault(isolation, reader) is not reader:
            reader.close()

    def append_fences(self, partitions: Iterable[TopicPartition], mark: str) -> dict[TopicPartition, int]:
        """Write one record to each partition that carries `mark` as its fence; the offsets they got.

        Raises TransientError when a partition does not acknowledge it in time, ClusterError when it is refused.
        """
        return append_fences(self.name, {**QUIET, **self._settings}, partitions, mark)

    def tail(self, topic: str, partitions: Iterable[int]) -> KafkaTail:
        """Some partitions of a topic, followed from their log start."""
        tail = KafkaTail(self.name, self._bootstrap_servers, topic, self._given, look_seconds=self._timeout_seconds)
        tail.only = frozenset(partitions)
        return tail

    def _list_topics(self) -> Client:
        """All topics. A question that went to a broker which died is asked again before its time is up."""
        with suppress(TransientError), asking(self.name, "metadata"):
            return self._admin.list_topics(timeout=self._timeout_seconds * _FIRST_SHARE)
        with asking(self.name, "metadata"):
            return self._admin.list_topics(timeout=self._timeout_seconds)

    def _group_reader(self, group_id: str) -> Client:
        """A consumer that only asks for offsets: it never subscribes, so it never becomes a member of the group."""
        if group_id not in self._group_readers:
            settings = {**self._settings, "group.id": group_id, "enable.auto.commit": False}
            self._group_readers[group_id] = new_consumer(settings)
        return self._group_readers[group_id]

    def _partition(self, topic: str, partition: Client) -> Partition:
        leader = _known(partition.leader)
        epoch = self._epoch((topic, partition.id), leader)
        return Partition(topic, partition.id, leader, len(partition.replicas), len(partition.isrs), epoch)

    def _epoch(self, key: TopicPartition, leader: int | None) -> int | None:
        """The epoch in which `leader` answered for a partition a short time ago."""
        answered_by, epoch, answered_at = self._epochs.get(key, (None, None, 0.0))
        is_fresh = answered_by == leader and time.monotonic() - answered_at <= _EPOCH_SECONDS
        return epoch if is_fresh else None


def _known(number: int | None) -> int | None:
    return None if number is None or number < 0 else number


def _by_leader(partitions: Iterable[Partition], wanted: set[TopicPartition]) -> dict[int, list[TopicPartition]]:
    groups: dict[int, list[TopicPartition]] = {}
    for partition in partitions:
        if (partition.topic, partition.partition) in wanted and partition.leader is not None:
            groups.setdefault(partition.leader, []).append((partition.topic, partition.partition))
    return groups
