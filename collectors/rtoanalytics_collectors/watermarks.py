"""Watermarks: where the log of each partition starts and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.partitions import PartitionList, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka import Cluster, TopicPartition
    from rtoanalytics_collectors.sampling import Sample


class Watermarks:
    """Log start, log end and last stable offset of each partition, one row a partition and look.

    A partition whose leader does not answer has no row. `observed_at` is taken when the answer is there: the log end
    was at least this at that instant. Partitions are a fixed list, or a `TopicPartitions` that sees them grow.
    """

    tables = ("watermarks",)

    def __init__(
        self, cluster: Cluster, partitions: Sequence[TopicPartition] | PartitionList, clock: Clock = now_us
    ) -> None:
        self.target = cluster.name
        self._cluster = cluster
        self._partitions = listed(partitions)
        self._clock = clock

    def collect(self) -> Sample:
        """Look once. Raises TransientError when no leader answers, or none of the topics is there (yet)."""
        ends = self._cluster.log_ends(self._partitions())
        observed_at = self._clock()
        rows = [
            {
                "cluster": self.target,
                "topic": topic,
                "partition": partition,
                "log_start_offset": end.log_start_offset,
                "log_end_offset": end.log_end_offset,
                "last_stable_offset": end.last_stable_offset,
                "observed_at": observed_at,
            }
            for (topic, partition), end in sorted(ends.items())
        ]
        return {"watermarks": rows}
