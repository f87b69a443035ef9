"""Kafka Connect: state and progress of connectors and their tasks, by REST or from the status topic."""

from rtoanalytics_collectors.connectors.rest import ConnectRest
from rtoanalytics_collectors.connectors.status_topic import ConnectStatusTopic

__all__ = ["ConnectRest", "ConnectStatusTopic"]
