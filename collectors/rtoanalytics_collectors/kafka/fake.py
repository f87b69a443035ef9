"""A cluster in memory: what collectors ask for, answered as a test has set it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import (
    FENCE_HEADER,
    READ_ISOLATION,
    Broker,
    LogBatch,
    LogEnds,
    LogRecord,
    Metadata,
    Partition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rtoanalytics_collectors.kafka import TopicPartition


@dataclass
class FakeCluster:
    """Answers from `logs`, `committed` and `brokers`; partitions in `silent` do not answer, nor does a `down` one."""

    name: str = "primary"
    cluster_id: str | None = "fake"
    brokers: dict[int, str] = field(default_factory=lambda: {1: "127.0.0.1:9092"})
    logs: dict[TopicPartition, list[LogRecord]] = field(default_factory=dict)
    log_starts: dict[TopicPartition, int] = field(default_factory=dict)
    committed: dict[str, dict[TopicPartition, int]] = field(default_factory=dict)
    silent: set[TopicPartition] = field(default_factory=set)
    rack_of: dict[int, str] = field(default_factory=dict)
    isolations: list[str] = field(default_factory=list)
    """The isolation level of each reading."""
    is_down: bool = False

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Every partition in sync, led by the lowest broker."""
        self._answer()
        wanted = set(topics)
        leader = min(self.brokers)
        found = [key for key in self.logs if key[0] in wanted]
        partitions = tuple(Partition(topic, number, leader, 1, 1) for topic, number in found)
        brokers = tuple(Broker(number, host) for number, host in self.brokers.items())
        return Metadata(self.cluster_id, leader, brokers, partitions)

    def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, LogEnds]:
        """The ends of each log that answers."""
        self._answer()
        ends = {key: self._log_ends(key) for key in partitions if key not in self.silent}
        if not ends:
            msg = "no partition leader answered"
            raise TransientError(msg)
        return ends

    def committed_offsets(self, group_id: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The committed offsets set for a group."""
        self._answer()
        known = self.committed.get(group_id, {})
        return {key: known[key] for key in partitions if key in known}

    def read_batches(
        self, topic_partition: TopicPartition, from_offset: int, to_offset: int, isolation: str = READ_ISOLATION
    ) -> Iterator[LogBatch]:
        """The records of a log between two offsets, two at a time."""
        self._answer()
        self.isolations.append(isolation)
        found = [record for record in self.logs[topic_partition] if from_offset <= record.offset < to_offset]
        for first in range(0, len(found), 2):
            yield LogBatch.of(found[first : first + 2])

    def racks(self) -> dict[int, str]:
        """The racks that were set."""
        self._answer()
        return self.rack_of

    def append_fences(self, partitions: Iterable[TopicPartition], mark: str) -> dict[TopicPartition, int]:
        """Append a record with the fence's header to each log."""
        return {key: self._append_fence(key, mark) for key in partitions}

    def _append_fence(self, key: TopicPartition, mark: str) -> int:
        offset = self._log_ends(key).log_end_offset
        self.logs[key].append(LogRecord(offset, None, [(FENCE_HEADER, mark.encode())], 0, "CreateTime", None))
        return offset

    def _log_ends(self, key: TopicPartition) -> LogEnds:
        records = self.logs[key]
        end = records[-1].offset + 1 if records else 0
        return LogEnds(self.log_starts.get(key, 0), end, last_stable_offset=end)

    def _answer(self) -> None:
        if self.is_down:
            msg = f'cluster "{self.name}" is down'
            raise TransientError(msg)
