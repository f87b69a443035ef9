"""Records of one partition, read without joining or committing for any group."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import Client, client_module, failure
from rtoanalytics_collectors.kafka.facts import LogRecord, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH_RECORDS = 10_000
"""The most records of one batch: bounds memory, and what a rate limit has to wait for at once."""
_READ_STALL_SECONDS = 10.0
_POLL_SECONDS = 0.1
_TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}


def read_batches(
    reader: Client, topic_partition: TopicPartition, from_offset: int, to_offset: int, cluster: str
) -> Iterator[list[LogRecord]]:
    """Records of one partition from `from_offset` (inclusive) to `to_offset` (exclusive), in batches; closes `reader`.

    Raises TransientError when nothing comes for some seconds before `to_offset` is reached.
    """
    topic, partition = topic_partition
    next_offset, heard_at = from_offset, time.monotonic()
    try:
        reader.assign([client_module().TopicPartition(topic, partition, from_offset)])
        while next_offset < to_offset:
            messages = reader.consume(BATCH_RECORDS, _POLL_SECONDS)
            reached = max((_next_offset(message, topic_partition, cluster) for message in messages), default=0)
            if reached > next_offset:
                next_offset, heard_at = reached, time.monotonic()
            elif time.monotonic() - heard_at > _READ_STALL_SECONDS:
                raise TransientError(_stalled(cluster, topic_partition, next_offset, to_offset))
            if batch := [_log_record(m) for m in messages if m.error() is None and m.offset() < to_offset]:
                yield batch
    finally:
        reader.close()


def _next_offset(message: Client, topic_partition: TopicPartition, cluster: str) -> int:
    """The offset after a record; for the end of the log (also after a gap without records), the end itself."""
    error = message.error()
    if error is None:
        return int(message.offset()) + 1
    if error.name() == "_PARTITION_EOF":
        return int(message.offset())
    raise failure(cluster, "records of {}-{}".format(*topic_partition), error)


def _stalled(cluster: str, topic_partition: TopicPartition, next_offset: int, to_offset: int) -> str:
    topic, partition = topic_partition
    return (
        f'cluster "{cluster}": {topic}-{partition} gave nothing for {_READ_STALL_SECONDS:.0f} s at offset '
        f"{next_offset}, before {to_offset}; its leader may be down, or an open transaction holds the rest back: "
        "try again later, or read uncommitted"
    )


def _log_record(message: Client) -> LogRecord:
    kind, timestamp_ms = message.timestamp()
    type_name = _TIMESTAMP_TYPES.get(kind)
    return LogRecord(
        message.offset(),
        message.key(),
        message.headers() or (),
        timestamp_ms if type_name and timestamp_ms >= 0 else None,
        type_name,
        _epoch(message.leader_epoch()),
    )


def _epoch(number: int | None) -> int | None:
    return None if number is None or number < 0 else number
