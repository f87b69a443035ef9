"""Partitions and brokers as the cluster's metadata describes them, and what the cluster is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.kafka import MOCK_CLUSTER_ID, client_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka import Broker, Cluster, Metadata, Partition
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row


class Partitions:
    """Leader, replicas and in-sync replicas of each partition, and the brokers that the cluster names."""

    tables = ("partition_states", "broker_states")

    def __init__(self, cluster: Cluster, topics: Sequence[str], clock: Clock = now_us) -> None:
        self.target = cluster.name
        self._cluster = cluster
        self._topics = topics
        self._clock = clock

    def collect(self) -> Sample:
        """Look once. Raises TransientError when no broker answers."""
        metadata = self._cluster.metadata(self._topics)
        stamp = {"cluster": self.target, "observed_at": self._clock()}
        return {
            "partition_states": [stamp | _partition_state(partition) for partition in metadata.partitions],
            "broker_states": [stamp | _broker_state(broker, metadata) for broker in metadata.brokers],
        }


def cluster_info(cluster: Cluster, clock: Clock = now_us) -> Row:
    """One row of `cluster_info`. The mock cluster is told by its cluster id, so that it cannot pass for Kafka.

    The version of a Kafka cluster is not in its metadata: null. Raises TransientError when no broker answers.
    """
    cluster_id = cluster.metadata(()).cluster_id
    is_mock = (cluster_id or "").startswith(MOCK_CLUSTER_ID)
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
        "replicas": partition.replicas,
        "in_sync": partition.in_sync,
    }


def _broker_state(broker: Broker, metadata: Metadata) -> Row:
    return {
        "broker_id": broker.broker_id,
        "host": broker.host,
        "is_controller": None if metadata.controller_id is None else broker.broker_id == metadata.controller_id,
    }
