"""What must advance while a connector works: RUNNING alone proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.schemas import MAX_OFFSET
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics_collectors.kafka import Cluster, TopicPartition


def progress_of(offsets: object) -> int | None:
    """One number that grows with a connector's offsets, from the answer of `/connectors/{name}/offsets`.

    For a sink, the sum of `kafka_offset` (the next offset to read) over its partitions. For a source, whose offsets
    have the shape its author chose, the sum of all whole numbers in them. None when there is no number, or the sum
    does not fit: such a connector's progress is not known.

    >>> progress_of([{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": 7}}])
    7
    >>> progress_of([{"partition": {"server": "a"}, "offset": {"lsn": 40, "snapshot": True}}])
    40
    """
    if not isinstance(offsets, list):
        return None
    numbers = [number for entry in offsets if isinstance(entry, dict) for number in _numbers(entry.get("offset"))]
    total = sum(numbers)
    return total if numbers and 0 <= total <= MAX_OFFSET else None


def _numbers(offset: object) -> list[int]:
    if not isinstance(offset, dict):
        return []
    if "kafka_offset" in offset:
        offset = {"kafka_offset": offset["kafka_offset"]}
    return [value for value in offset.values() if isinstance(value, int) and not isinstance(value, bool) and value >= 0]


class SinkProgress:
    """Progress of sink connectors from the cluster itself: the sum of what their groups have committed.

    For a status topic, which does not tell progress. A sink's group is `connect-<connector>` unless its configuration
    overrides it; `groups` says so for those.
    """

    def __init__(
        self, cluster: Cluster, partitions: Iterable[TopicPartition], groups: dict[str, str] | None = None
    ) -> None:
        self._cluster = cluster
        self._partitions = tuple(partitions)
        self._groups: dict[str, Any] = groups or {}

    def of(self, connector: str) -> int | None:
        """Sum of the connector's committed offsets; None when the coordinator does not answer, or nothing is there."""
        group_id = self._groups.get(connector, f"connect-{connector}")
        try:
            offsets = self._cluster.committed_offsets(group_id, self._partitions)
        except TransientError:
            return None
        return sum(offsets.values()) if offsets else None
