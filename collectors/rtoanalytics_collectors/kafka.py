"""What we ask of a Kafka cluster, and confluent-kafka's answer. The only importer of confluent_kafka.

Committed offsets are asked through a consumer that never subscribes, not through the Admin API: librdkafka aborts
the whole process (`eonce->refcnt > 0`) when a coordinator-targeted Admin request loses its connection
(confluentinc/librdkafka#3663, #4605, fix proposed in #5397), which is exactly what happens in a drill.

Everything raised here is an RtoError: MissingDependencyError when the client is not installed, TransientError when
the cluster did not answer in time (the next try may), ClusterError when it refused.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rtoanalytics.errors import ClusterError, MissingDependencyError
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Producer

Client = Any
"""An object of the client library, known by its methods."""
TopicPartition = tuple[str, int]
"""Topic and partition number."""
Headers = Sequence[tuple[str, bytes | None]]

MOCK_CLUSTER_ID = "mockCluster"
"""How the cluster id of librdkafka's mock cluster begins."""
_GRACE_SECONDS = 1.0


@dataclass(frozen=True)
class LogEnds:
    """The ends of one partition's log."""

    log_start_offset: int
    """First offset still in the log."""
    log_end_offset: int
    """Offset the next record will get."""


@dataclass(frozen=True)
class Partition:
    """One partition as the cluster's metadata describes it."""

    topic: str
    partition: int
    leader: int | None
    """Broker id, None when there is no leader."""
    replicas: int
    in_sync: int


@dataclass(frozen=True)
class Broker:
    """One broker that the cluster's metadata names."""

    broker_id: int
    host: str
    """host:port that it advertises."""


@dataclass(frozen=True)
class Metadata:
    """One answer to a Metadata request."""

    cluster_id: str | None
    controller_id: int | None
    brokers: tuple[Broker, ...]
    partitions: tuple[Partition, ...]


@dataclass(frozen=True)
class LogRecord:
    """One record as a reader sees it."""

    offset: int
    key: bytes | None
    headers: Headers
    timestamp_ms: int | None
    timestamp_type: str | None
    leader_epoch: int | None


class Cluster(Protocol):
    """What collectors ask of a cluster. Partitions that do not answer are left out of the result."""

    name: str

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Brokers, and the partitions of `topics`."""
        ...

    def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, LogEnds]:
        """Log start and log end of `partitions`."""
        ...

    def committed_offsets(self, group_id: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Committed offsets of a group; partitions without a commit are left out."""
        ...

    def read(self, topic_partition: TopicPartition, from_offset: int, to_offset: int) -> Iterator[LogRecord]:
        """Records of one partition from `from_offset` (inclusive) to `to_offset` (exclusive), in offset order."""
        ...


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
        self._admin = _admin_module().AdminClient({**_QUIET, **self._settings})
        self._group_readers: dict[str, Consumer] = {}

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Brokers, and the partitions of `topics`. Raises TransientError when no broker answers."""
        wanted = set(topics)
        with _asking(self.name, "metadata"):
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
        client = _client_module()
        wanted = [client.TopicPartition(topic, partition) for topic, partition in partitions]
        with _asking(self.name, f"committed offsets of group {group_id}"):
            answer = self._group_reader(group_id).committed(wanted, timeout=self._timeout_seconds)
            _raise_partition_errors(answer)
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
            yield from _read(self._reader(), topic_partition, from_offset, to_offset, self.name)

    @property
    def _wait(self) -> float:
        return self._timeout_seconds + _GRACE_SECONDS

    def _ask_offsets(self, group: list[TopicPartition], which: str) -> dict[TopicPartition, Future[Any]]:
        client, spec = _client_module(), getattr(_admin_module().OffsetSpec, which)()
        question = {client.TopicPartition(topic, partition): spec for topic, partition in group}
        with _asking(self.name, "log ends"):
            futures = self._admin.list_offsets(question, request_timeout=self._timeout_seconds)
        return {(tp.topic, tp.partition): future for tp, future in futures.items()}

    def _group_reader(self, group_id: str) -> Consumer:
        """A consumer that only asks for offsets: it never subscribes, so it never becomes a member of the group."""
        if group_id not in self._group_readers:
            settings = {**self._settings, "group.id": group_id, "enable.auto.commit": False}
            self._group_readers[group_id] = new_consumer(settings)
        return self._group_readers[group_id]

    def _reader(self) -> Consumer:
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


READ_ISOLATION = "read_committed"
"""isolation.level of the reader of `KafkaCluster.read`."""
_READ_STALL_SECONDS = 10.0
_QUIET = {"log_level": 0}
"""The client's own log lines; what matters of them is in the errors and the statistics."""
_IMPATIENT = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250}
"""A collector looks again soon: the default of 10 s would add holes of its own to an outage."""
_TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}


def new_producer(settings: Mapping[str, Any]) -> Producer:
    """A confluent-kafka producer."""
    producer: Producer = _client_module().Producer({**_QUIET, **settings})
    return producer


def new_consumer(settings: Mapping[str, Any]) -> Consumer:
    """A confluent-kafka consumer."""
    consumer: Consumer = _client_module().Consumer({**_QUIET, **settings})
    return consumer


def topic_partitions(topic: str, offsets: Mapping[int, int]) -> list[Any]:
    """The client's TopicPartition objects for offsets by partition."""
    client = _client_module()
    return [client.TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]


def client_errors() -> type[Exception]:
    """The exception class that the client raises, for programs that drive it themselves."""
    errors: type[Exception] = _client_module().KafkaException
    return errors


def client_version() -> str:
    """Version of librdkafka. Raises MissingDependencyError when there is none: a way to find out early."""
    return str(_client_module().libversion()[0])


def client_library() -> str:
    """Path of the extension module through which every symbol of librdkafka can be resolved."""
    _client_module()
    return str(importlib.import_module("confluent_kafka.cimpl").__file__)


def _client_module() -> Client:
    try:
        return importlib.import_module("confluent_kafka")
    except ImportError as error:
        what = "talking to a Kafka cluster"
        raise MissingDependencyError(what, "collect") from error


def _admin_module() -> Client:
    _client_module()
    return importlib.import_module("confluent_kafka.admin")


@contextmanager
def _asking(cluster: str, what: str) -> Iterator[None]:
    """Turn the client's errors into ours: what was asked, of which cluster, and what came back."""
    try:
        yield
    except FutureTimeoutError:
        msg = f'cluster "{cluster}": no answer when asked for {what}'
        raise TransientError(msg) from None
    except client_errors() as error:
        raise _failure(cluster, what, error.args[0]) from None


_REFUSALS = ("AUTHORIZATION", "AUTHENTICATION", "UNSUPPORTED", "INVALID_GROUP_ID", "_SSL", "_INVALID_ARG")


def _failure(cluster: str, what: str, error: KafkaError) -> ClusterError:
    name, text = error.name(), error.str()
    if any(refusal in name for refusal in _REFUSALS):
        msg = f'cluster "{cluster}" refused {what}: {name} ({text}); check the connection settings and ACLs'
        return ClusterError(msg)
    return TransientError(f'cluster "{cluster}" did not answer when asked for {what}: {name} ({text})')


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


def _raise_partition_errors(partitions: Iterable[Any]) -> None:
    for partition in partitions:
        if partition.error is not None:
            raise client_errors()(partition.error)


def _read(
    reader: Consumer, topic_partition: TopicPartition, from_offset: int, to_offset: int, cluster: str
) -> Iterator[LogRecord]:
    client = _client_module()
    topic, partition = topic_partition
    try:
        reader.assign([client.TopicPartition(topic, partition, from_offset)])
        while (message := reader.poll(_READ_STALL_SECONDS)) is not None:
            error = message.error()
            if error is not None and not _is_end(error):
                raise _failure(cluster, f"records of {topic}-{partition}", error)
            if error is None and _next_offset(message) <= to_offset:
                yield _log_record(message)
            if _next_offset(message) >= to_offset:
                return
        msg = f'cluster "{cluster}": {topic}-{partition} stopped answering before offset {to_offset}'
        raise TransientError(msg)
    finally:
        reader.close()


def _is_end(error: KafkaError) -> bool:
    return error.name() == "_PARTITION_EOF"


def _next_offset(message: Client) -> int:
    """The offset after a record; for the end of the log (also after a gap without records), the end itself."""
    return int(message.offset()) + (1 if message.error() is None else 0)


def _log_record(message: Client) -> LogRecord:
    kind, timestamp_ms = message.timestamp()
    type_name = _TIMESTAMP_TYPES.get(kind)
    return LogRecord(
        offset=message.offset(),
        key=message.key(),
        headers=message.headers() or (),
        timestamp_ms=timestamp_ms if type_name and timestamp_ms >= 0 else None,
        timestamp_type=type_name,
        leader_epoch=_known(message.leader_epoch()),
    )
