"""Records of one partition, read without joining or committing for any group.

A record costs a few calls into the client and nothing else: messages are asked for in lots that stay in the
processor's cache and below the number at which Python looks for garbage, and what a lot has in common (offsets without
a gap, one leader epoch, no headers) is asked once.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import Client, client_module, failure, new_consumer
from rtoanalytics_collectors.kafka.facts import Headers, LogBatch, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BATCH_RECORDS = 10_000
"""The most records of one batch, and what a rate limit has to wait for at once."""
LOT_RECORDS = 300
"""The most records that are asked of the client at once."""
_READ_STALL_SECONDS = 10.0
_POLL_SECONDS = 0.1
_NO_TIMESTAMP = 0
_TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}
_BULK = {
    "fetch.queue.backoff.ms": 5,  # the default of 1 s would leave the reader waiting most of its time
    "max.partition.fetch.bytes": 8 * 1024 * 1024,
    "queued.max.messages.kbytes": 32 * 1024,  # memory of records that wait to be read
}
_ALWAYS = {
    "group.id": "rtoanalytics-log-reader",  # a name the client insists on; nothing is committed for it
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
}


def new_reader(settings: Mapping[str, Any], isolation: str) -> Client:
    """A consumer that goes through whole partitions, and joins no group."""
    return new_consumer({**_BULK, **settings, **_ALWAYS, "isolation.level": isolation})


def read_batches(
    reader: Client, topic_partition: TopicPartition, from_offset: int, to_offset: int, cluster: str
) -> Iterator[LogBatch]:
    """Records of one partition from `from_offset` (inclusive) to `to_offset` (exclusive), in batches.

    Raises TransientError when nothing comes for some seconds before `to_offset` is reached.
    """
    topic, partition = topic_partition
    next_offset, heard_at = from_offset, time.monotonic()
    gathered = _Gathered()
    reader.assign([client_module().TopicPartition(topic, partition, from_offset)])
    while next_offset < to_offset:
        lot = min(LOT_RECORDS, to_offset - next_offset)
        messages = reader.consume(lot, _POLL_SECONDS)
        reached = _gather(messages, gathered, topic_partition, to_offset, cluster)
        if reached > next_offset:
            next_offset, heard_at = reached, time.monotonic()
        elif time.monotonic() - heard_at > _READ_STALL_SECONDS:
            raise TransientError(_stalled(cluster, topic_partition, next_offset, to_offset))
        is_due = next_offset >= to_offset or len(messages) < lot or len(gathered) > BATCH_RECORDS - LOT_RECORDS
        if is_due and len(gathered):
            yield gathered.batch()
            gathered = _Gathered()


def _gather(
    messages: Sequence[Client], gathered: _Gathered, topic_partition: TopicPartition, to_offset: int, cluster: str
) -> int:
    """Take the records among `messages`; the offset behind all of them, 0 for none."""
    kinds, timestamps = _stamps_of(messages)
    reached = 0
    if _NO_TIMESTAMP in kinds:  # what is no record has no timestamp either
        reached = max(_next_offset(message, topic_partition, cluster) for message in messages)
        messages = [message for message in messages if message.error() is None]
        kinds, timestamps = _stamps_of(messages)
    if messages and messages[-1].offset() >= to_offset:
        messages = [message for message in messages if message.offset() < to_offset]
        reached, kinds, timestamps = to_offset, kinds[: len(messages)], timestamps[: len(messages)]
    if messages:
        gathered.add(messages, kinds, timestamps)
        reached = max(reached, messages[-1].offset() + 1)
    return reached


def _stamps_of(messages: Sequence[Client]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kinds of timestamps, and the timestamps in ms."""
    if not messages:
        return (), ()
    kinds, timestamps = zip(*map(client_module().Message.timestamp, messages), strict=True)
    return kinds, timestamps


class _Gathered:
    """Records as columns, as they come."""

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._keys: list[bytes | None] = []
        self._kinds: list[int] = []
        self._timestamps: list[int] = []
        self._epochs: list[int | None] = []
        self._headers: list[Headers | None] = []

    def __len__(self) -> int:
        return len(self._offsets)

    def add(self, messages: Sequence[Client], kinds: Sequence[int], timestamps: Sequence[int]) -> None:
        """Add records in offset order."""
        message = client_module().Message
        first, last = messages[0], messages[-1]
        if last.offset() - first.offset() == len(messages) - 1:
            self._offsets += range(first.offset(), last.offset() + 1)
        else:
            self._offsets += map(message.offset, messages)
        if first.leader_epoch() == last.leader_epoch():  # along a log it never falls
            self._epochs += [first.leader_epoch()] * len(messages)
        else:
            self._epochs += map(message.leader_epoch, messages)
        self._keys += map(message.key, messages)
        self._headers += map(message.headers, messages)
        self._kinds += kinds
        self._timestamps += timestamps

    def batch(self) -> LogBatch:
        """What was added."""
        types, timestamps = self._stamps()
        headers = self._headers if any(self._headers) else None
        return LogBatch(self._offsets, self._keys, timestamps, types, self._epochs, headers)

    def _stamps(self) -> tuple[Sequence[str | None], Sequence[int | None]]:
        kind = self._kinds[0]
        if kind in _TIMESTAMP_TYPES and self._kinds.count(kind) == len(self) and min(self._timestamps) >= 0:
            return [_TIMESTAMP_TYPES[kind]] * len(self), self._timestamps
        types = [_TIMESTAMP_TYPES.get(kind) for kind in self._kinds]
        known = [
            timestamp if name and timestamp >= 0 else None
            for name, timestamp in zip(types, self._timestamps, strict=True)
        ]
        return types, known


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
