"""What collectors ask of a cluster, and the shape of the answers. Knows no client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

TopicPartition = tuple[str, int]
"""Topic and partition number."""
Headers = Sequence[tuple[str, bytes | None]]

MOCK_CLUSTER_ID = "mockCluster"
"""How the cluster id of librdkafka's mock cluster begins."""


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
