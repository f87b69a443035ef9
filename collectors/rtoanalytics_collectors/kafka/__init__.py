"""The Kafka cluster as collectors see it. Only `client.py` imports the client library, and only when it is needed."""

from rtoanalytics_collectors.kafka.client import (
    Client,
    client_errors,
    client_library,
    client_version,
    new_consumer,
    new_producer,
    topic_partitions,
)
from rtoanalytics_collectors.kafka.cluster import KafkaCluster
from rtoanalytics_collectors.kafka.facts import (
    READ_ISOLATION,
    Broker,
    Cluster,
    Headers,
    LogBatch,
    LogEnds,
    LogRecord,
    Metadata,
    Partition,
    TopicPartition,
    is_simulated,
)
from rtoanalytics_collectors.kafka.fences import FENCE_HEADER

__all__ = [
    "FENCE_HEADER",
    "READ_ISOLATION",
    "Broker",
    "Client",
    "Cluster",
    "Headers",
    "KafkaCluster",
    "LogBatch",
    "LogEnds",
    "LogRecord",
    "Metadata",
    "Partition",
    "TopicPartition",
    "client_errors",
    "client_library",
    "client_version",
    "is_simulated",
    "new_consumer",
    "new_producer",
    "topic_partitions",
]
