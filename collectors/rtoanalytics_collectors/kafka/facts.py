"""What collectors ask of a cluster, and the shape of the answers. Knows no client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
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


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Some records of one partition, in offset order, column by column: no object is made of each record."""

    offsets: Sequence[int]
    keys: Sequence[bytes | None]
    timestamps_ms: Sequence[int | None]
    timestamp_types: Sequence[str | None]
    leader_epochs: Sequence[int | None]
    headers: Sequence[Headers | None] | None = None
    """None when no record has any."""

    @classmethod
    def of(cls, records: Sequence[LogRecord]) -> LogBatch:
        """Records as columns."""
        return cls(
            [record.offset for record in records],
            [record.key for record in records],
            [record.timestamp_ms for record in records],
            [record.timestamp_type for record in records],
            [record.leader_epoch for record in records],
            [record.headers for record in records],
        )

    def __len__(self) -> int:
        """Records."""
        return len(self.offsets)

    def where(self, is_wanted: Sequence[bool]) -> LogBatch:
        """The records that are wanted."""
        return LogBatch(
            list(compress(self.offsets, is_wanted)),
            list(compress(self.keys, is_wanted)),
            list(compress(self.timestamps_ms, is_wanted)),
            list(compress(self.timestamp_types, is_wanted)),
            list(compress(self.leader_epochs, is_wanted)),
            None if self.headers is None else list(compress(self.headers, is_wanted)),
        )


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
    ) -> Iterator[LogBatch]:
        """Records of one partition from `from_offset` (inclusive) to `to_offset` (exclusive), in offset order."""
        ...

    def racks(self) -> dict[int, str]:
        """Racks by broker id; brokers without one are left out."""
        ...

    def append_fences(self, partitions: Iterable[TopicPartition], mark: str) -> dict[TopicPartition, int]:
        """Write one record to each partition that carries `mark` as its fence; the offsets they got."""
        ...
