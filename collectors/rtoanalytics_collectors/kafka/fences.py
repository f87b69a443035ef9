"""Fence records: written to the end of each partition, so that who reads up to them knows to have read it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import asking, failure, new_producer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from rtoanalytics_collectors.kafka.client import Client
    from rtoanalytics_collectors.kafka.facts import TopicPartition

FENCE_HEADER = "rtoanalytics-fence"
"""The header that tells a fence from the records of the flow."""
_TIMEOUT_SECONDS = 15.0


def append_fences(
    cluster: str, settings: Mapping[str, Any], partitions: Iterable[TopicPartition], mark: str
) -> dict[TopicPartition, int]:
    """Write one record without key and value to each partition; the offsets they got.

    Raises TransientError when a partition does not acknowledge its fence in time, ClusterError when it is refused.
    """
    timeout_ms = int(_TIMEOUT_SECONDS * 1000)
    producer = new_producer(
        {**settings, "acks": "all", "enable.idempotence": True, "delivery.timeout.ms": timeout_ms, "linger.ms": 0}
    )
    offsets: dict[TopicPartition, int] = {}
    errors: list[Client] = []

    def delivered(error: Client, message: Client) -> None:
        if error is not None:
            errors.append(error)
        else:
            offsets[message.topic(), message.partition()] = message.offset()

    with asking(cluster, "a fence record"):
        for topic, partition in partitions:
            producer.produce(topic, partition=partition, headers={FENCE_HEADER: mark.encode()}, on_delivery=delivered)
        still_open = producer.flush(_TIMEOUT_SECONDS + 1)
    if errors:
        raise failure(cluster, "a fence record", errors[0])
    if still_open:
        msg = f'cluster "{cluster}": {still_open} fence records were not acknowledged within {_TIMEOUT_SECONDS:.0f} s'
        raise TransientError(msg)
    return offsets
