"""Commits: how far a group says it has come, by polling its committed offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.partitions import PartitionList, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka import Cluster, TopicPartition
    from rtoanalytics_collectors.sampling import Sample


class Commits:
    """Committed offsets of one group, one row a partition and look, also when nothing has changed.

    Every look writes its rows, so that an offset that stands still can be told from one that nobody looked at.
    `committed_at` is when it was asked (the commit itself is older), `observed_at` when the answer came. A partition
    without a commit has no row. Rewinds between two looks are not seen: `__consumer_offsets` has every commit.
    """

    tables = ("commits",)

    def __init__(
        self,
        cluster: Cluster,
        group_id: str,
        partitions: Sequence[TopicPartition] | PartitionList,
        clock: Clock = now_us,
    ) -> None:
        self.target = group_id
        self._cluster = cluster
        self._partitions = listed(partitions)
        self._clock = clock
        self._looks = 0

    @property
    def cluster_name(self) -> str:
        """The cluster that the group is looked at on: one group id may live on several."""
        return self._cluster.name

    def collect(self) -> Sample:
        """Look once. Raises TransientError when the coordinator does not answer, or no topic is there (yet)."""
        asked_at = self._clock()
        offsets = self._cluster.committed_offsets(self.target, self._partitions())
        observed_at = self._clock()
        self._looks += 1
        rows = [
            {
                "cluster": self._cluster.name,
                "group_id": self.target,
                "topic": topic,
                "partition": partition,
                "committed_offset": offset,
                "committed_at": asked_at,
                "observed_at": observed_at,
                "commit_seq": self._looks,
                "method": "poll",
            }
            for (topic, partition), offset in sorted(offsets.items())
        ]
        return {"commits": rows}
