"""Which way the commits of a drill are captured: every commit from the log where it may be read, else samples."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.commits.group_log import SOURCE
from rtoanalytics_collectors.commits.offsets_topic import OffsetsCluster, OffsetsTopic, partition_of
from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import Cluster, is_simulated

if TYPE_CHECKING:
    from rtoanalytics_collectors.partitions import PartitionList
    from rtoanalytics_collectors.sampling import Collector

METHODS = ("auto", "log", "poll")
DECIDE_SECONDS = 5.0
"""How long a cluster is given to answer, before `auto` trusts that its log can be read later."""
_PAUSE_SECONDS = 0.25


class ReadableCluster(Cluster, OffsetsCluster, Protocol):
    """A cluster that can be polled and followed: `KafkaCluster`."""


def choose(
    cluster: ReadableCluster,
    group_id: str,
    partitions: PartitionList,
    method: str = "auto",
    interval_seconds: float = 0.5,
) -> Collector:
    """The collector of one group's commits. `partitions` are those that it reads; `interval_seconds` is the loop's.

    `log` reads `__consumer_offsets`, `poll` asks for committed offsets, `auto` tries the first and takes the second
    when the topic may not be read, or is not there. Raises UsageError for another method.
    """
    if method not in METHODS:
        msg = f'commits are captured by "{method}"; allowed: {", ".join(METHODS)}'
        raise UsageError(msg)
    if method == "log" or (method == "auto" and may_read_offsets(cluster, group_id)):
        return OffsetsTopic(cluster, group_id, interval_seconds=interval_seconds)
    return Commits(cluster, group_id, partitions)


def may_read_offsets(cluster: ReadableCluster, group_id: str, seconds: float = DECIDE_SECONDS) -> bool:
    """Whether the group's partition of `__consumer_offsets` can be read: found by trying.

    A refusal, a simulated cluster, and a cluster that does not show the topic for `seconds` are a no. A cluster that
    does not answer at all is a yes: Kafka has the topic, and the collector waits for it.
    """
    deadline = time.monotonic() + seconds
    is_absent = False
    while time.monotonic() < deadline:
        try:
            metadata = cluster.metadata([SOURCE])
            is_absent = not metadata.partitions
            if is_simulated(metadata.cluster_id):
                return False
            if not is_absent:
                return _read_once(cluster, partition_of(group_id, len(metadata.partitions)))
            cluster.committed_offsets(group_id, [(SOURCE, 0)])  # a broker that is asked for a group makes the topic
        except TransientError:
            pass
        except ClusterError:
            return False
        time.sleep(_PAUSE_SECONDS)
    return not is_absent


def _read_once(cluster: ReadableCluster, partition: int) -> bool:
    """True. Raises ClusterError when the partition may not be read, TransientError when it does not answer."""
    tail = cluster.tail(SOURCE, [partition])
    try:
        tail.drain()
    finally:
        tail.close()
    return True
