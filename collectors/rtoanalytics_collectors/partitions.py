"""Partitions and brokers as the cluster's metadata describes them, and what the cluster is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import TopicPartition, client_version, is_simulated

if TYPE_CHECKING:
    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka import Broker, Cluster, Metadata, Partition
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

PartitionList = Callable[[], Sequence[TopicPartition]]
"""Gives the partitions to look at, as they are now."""
REFRESH_SECONDS = 2.0
"""How long a list of partitions is used before the metadata is asked again."""
_RACK_SECONDS = 30.0
"""How long a failed question for racks is left alone."""


class TopicPartitions:
    """The partitions of some topics, those that are added while it is used included."""

    def __init__(
        self, cluster: Cluster, topics: Sequence[str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._monotonic = monotonic
        self._partitions: tuple[TopicPartition, ...] = ()
        self._asked_at = float("-inf")

    def __call__(self) -> Sequence[TopicPartition]:
        """The partitions; the last known ones while no broker answers. Topics that are not there have none.

        Raises TransientError when none of the topics is there (yet), or no broker has ever answered.
        """
        if not self._partitions or self._monotonic() - self._asked_at >= REFRESH_SECONDS:
            self._refresh()
        if not self._partitions:
            msg = f'cluster "{self._cluster.name}": topic {", ".join(self._topics)} is not there (yet)'
            raise TransientError(msg)
        return self._partitions

    def _refresh(self) -> None:
        try:
            metadata = self._cluster.metadata(self._topics)
        except TransientError:
            if not self._partitions:
                raise
            return
        found = {(partition.topic, partition.partition) for partition in metadata.partitions}
        self._partitions = tuple(sorted(found))
        self._asked_at = self._monotonic()


def listed(partitions: Sequence[TopicPartition] | PartitionList) -> PartitionList:
    """A list of partitions that may change, or one that does not, as the former."""
    return partitions if callable(partitions) else lambda: partitions


class Partitions:
    """Leader, leader epoch, replicas and in-sync replicas of each partition, and the brokers that the cluster names.

    Topics that are not there (yet) have no row; the brokers are seen all the same.
    """

    tables = ("partition_states", "broker_states")

    def __init__(
        self,
        cluster: Cluster,
        topics: Sequence[str],
        clock: Clock = now_us,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = cluster.name
        self._cluster = cluster
        self._topics = topics
        self._clock = clock
        self._monotonic = monotonic
        self._racks: dict[int, str | None] = {}
        self._racks_after = float("-inf")

    def collect(self) -> Sample:
        """Look once. Raises TransientError when no broker answers."""
        metadata = self._cluster.metadata(self._topics)
        stamp = {"cluster": self.target, "observed_at": self._clock()}
        self._learn_racks(metadata)
        return {
            "partition_states": [stamp | _partition_state(partition) for partition in metadata.partitions],
            "broker_states": [stamp | self._broker_state(broker, metadata) for broker in metadata.brokers],
        }

    def _learn_racks(self, metadata: Metadata) -> None:
        """Ask for racks when a broker is new; a rack does not change while its broker lives."""
        new = {broker.broker_id for broker in metadata.brokers} - self._racks.keys()
        if not new or self._monotonic() < self._racks_after or is_simulated(metadata.cluster_id):
            return
        self._racks_after = self._monotonic() + _RACK_SECONDS
        try:
            racks = self._cluster.racks()
        except TransientError:
            return
        self._racks |= {broker_id: racks.get(broker_id) for broker_id in new}

    def _broker_state(self, broker: Broker, metadata: Metadata) -> Row:
        return {
            "broker_id": broker.broker_id,
            "host": broker.host,
            "rack": self._racks.get(broker.broker_id),
            "is_controller": None if metadata.controller_id is None else broker.broker_id == metadata.controller_id,
        }


def cluster_info(cluster: Cluster, clock: Clock = now_us) -> Row:
    """One row of `cluster_info`. The mock cluster is told by its cluster id, so that it cannot pass for Kafka.

    The version of a Kafka cluster is not in its metadata: null. Raises TransientError when no broker answers.
    """
    cluster_id = cluster.metadata(()).cluster_id
    is_mock = is_simulated(cluster_id)
    return {
        "cluster": cluster.name,
        "engine": "librdkafka-mock" if is_mock else "kafka",
        "version": client_version() if is_mock else None,
        "cluster_id": cluster_id,
        "observed_at": clock(),
    }


def _partition_state(partition: Partition) -> Row:
    return {
        "topic": partition.topic,
        "partition": partition.partition,
        "leader": partition.leader,
        "leader_epoch": partition.leader_epoch,
        "replicas": partition.replicas,
        "in_sync": partition.in_sync,
    }
