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
    MOCK_CLUSTER_ID,
    Broker,
    Cluster,
    Headers,
    LogEnds,
    LogRecord,
    Metadata,
    Partition,
    TopicPartition,
)
from rtoanalytics_collectors.kafka.reading import READ_ISOLATION

__all__ = [
    "MOCK_CLUSTER_ID",
    "READ_ISOLATION",
    "Broker",
    "Client",
    "Cluster",
    "Headers",
    "KafkaCluster",
    "LogEnds",
    "LogRecord",
    "Metadata",
    "Partition",
    "TopicPartition",
    "client_errors",
    "client_library",
    "client_version",
    "new_consumer",
    "new_producer",
    "topic_partitions",
]
