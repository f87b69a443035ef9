"""Records of one partition, read without joining or committing for any group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import Client, client_module, failure
from rtoanalytics_collectors.kafka.facts import LogRecord, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator


READ_ISOLATION = "read_committed"
"""isolation.level of the reader of `KafkaCluster.read`."""
_READ_STALL_SECONDS = 10.0
_TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}


def read(
    reader: Client, topic_partition: TopicPartition, from_offset: int, to_offset: int, cluster: str
) -> Iterator[LogRecord]:
    """Records of one partition from `from_offset` (inclusive) to `to_offset` (exclusive); closes `reader`."""
    client = client_module()
    topic, partition = topic_partition
    try:
        reader.assign([client.TopicPartition(topic, partition, from_offset)])
        while (message := reader.poll(_READ_STALL_SECONDS)) is not None:
            error = message.error()
            if error is not None and not _is_end(error):
                raise failure(cluster, f"records of {topic}-{partition}", error)
            if error is None and _next_offset(message) <= to_offset:
                yield _log_record(message)
            if _next_offset(message) >= to_offset:
                return
        msg = f'cluster "{cluster}": {topic}-{partition} stopped answering before offset {to_offset}'
        raise TransientError(msg)
    finally:
        reader.close()


def _is_end(error: Client) -> bool:
    return bool(error.name() == "_PARTITION_EOF")


def _next_offset(message: Client) -> int:
    """The offset after a record; for the end of the log (also after a gap without records), the end itself."""
    return int(message.offset()) + (1 if message.error() is None else 0)


def _log_record(message: Client) -> LogRecord:
    kind, timestamp_ms = message.timestamp()
    type_name = _TIMESTAMP_TYPES.get(kind)
    return LogRecord(
        offset=message.offset(),
        key=message.key(),
        headers=message.headers() or (),
        timestamp_ms=timestamp_ms if type_name and timestamp_ms >= 0 else None,
        timestamp_type=type_name,
        leader_epoch=_epoch(message.leader_epoch()),
    )


def _epoch(number: int | None) -> int | None:
    return None if number is None or number < 0 else number
