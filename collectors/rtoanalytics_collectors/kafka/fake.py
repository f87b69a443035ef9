"""A cluster in memory: what collectors ask for, answered as a test has set it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import Broker, LogEnds, LogRecord, Metadata, Partition

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

    def read(self, topic_partition: TopicPartition, from_offset: int, to_offset: int) -> Iterator[LogRecord]:
        """The records of a log between two offsets."""
        self._answer()
        yield from (record for record in self.logs[topic_partition] if from_offset <= record.offset < to_offset)

    def _log_ends(self, key: TopicPartition) -> LogEnds:
        records = self.logs[key]
        return LogEnds(self.log_starts.get(key, 0), records[-1].offset + 1 if records else 0)

    def _answer(self) -> None:
        if self.is_down:
            msg = f'cluster "{self.name}" is down'
            raise TransientError(msg)
