"""What collectors ask of a cluster, and the shape of the answers. Knows no client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

TopicPartition = tuple[str, int]
"""Topic and partition number."""
Headers = Sequence[tuple[str, bytes | None]]

MOCK_CLUSTER_ID = "mockCluster"
"""How the cluster id of librdkafka's mock cluster begins."""
READ_ISOLATION = "read_committed"
"""isolation.level of readers that are not told another."""


def is_simulated(cluster_id: str | None) -> bool:
    """Whether a cluster id is that of librdkafka's mock cluster."""
    return (cluster_id or "").startswith(MOCK_CLUSTER_ID)


@dataclass(frozen=True)
class LogEnds:
    """The ends of one partition's log."""

    log_start_offset: int
    """First offset still in the log."""
    log_end_offset: int
    """Offset the next record will get."""
    last_stable_offset: int | None = None
    """First offset of the oldest open transaction, or the log end; None when it was not answered."""
    leader_epoch: int | None = None
    """Epoch of the leader that answered."""


@dataclass(frozen=True)
class Partition:
    """One partition as the cluster's metadata describes it."""

    topic: str
    partition: int
    leader: int | None
    """Broker id, None when there is no leader."""
    replicas: int
    in_sync: int
    leader_epoch: int | None = None
    """Epoch in which that leader last answered, if it was asked lately."""


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
    """Broker id; None when the answer does not tell."""
    brokers: tuple[Broker, ...]
    partitions: tuple[Partition, ...]


class LogRecord(NamedTuple):
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

    def read_batches(
        self, topic_partition: TopicPartition, from_offset: int, to_offset: int, isolation: str = READ_ISOLATION
    ) -> Iterator[list[LogRecord]]:
        """Records of one partition from `from_offset` (inclusive) to `to_offset` (exclusive), in offset order."""
        ...

    def racks(self) -> dict[int, str]:
        """Racks by broker id; brokers without one are left out."""
        ...

    def append_fences(self, partitions: Iterable[TopicPartition], mark: str) -> dict[TopicPartition, int]:
        """Write one record to each partition that carries `mark` as its fence; the offsets they got."""
        ...
