"""MirrorMaker 2: its checkpoints and offset syncs, from the topics in which it keeps them.

Both are Kafka's protocol types, big-endian, strings with an int16 length: a checkpoint's value begins with an int16
version (0), an offset sync has none. They are decoded here; what is no such record is counted, never raised.

At the start of a tail the topics hold what was emitted long before the drill. Of that, only the last record of each
key is kept, because it is what a failover would use, and it is dated at the tail's beginning: it was in force then.
Everything that comes after has the record's own timestamp.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol

from rtoanalytics.schemas import MAX_OFFSET
from rtoanalytics_collectors.failures import PartialLookError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics_collectors.kafka.tailing import Drain, Tail, TailRecord
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

_VERSION = 0
_KEY = ("source_cluster", "target_cluster", "group_id", "topic", "partition")


def checkpoints_topic(source_alias: str, separator: str = ".") -> str:
    """Topic of the checkpoints, on the target cluster. `separator` is that of the replication policy.

    >>> checkpoints_topic("primary")
    'primary.checkpoints.internal'
    """
    return f"{source_alias}{separator}checkpoints{separator}internal"


def offset_syncs_topic(other_alias: str, separator: str = ".") -> str:
    """Topic of the offset syncs: on the source, with the target's alias, or the other way round.

    On the source by default; `offset-syncs.topic.location=target` keeps it on the target, with the source's alias.

    >>> offset_syncs_topic("recovery")
    'mm2-offset-syncs.recovery.internal'
    """
    return f"mm2-offset-syncs{separator}{other_alias}{separator}internal"


class Fields:
    """Reads Kafka's protocol types one after the other. Raises ValueError when the bytes do not hold them."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self._at = 0

    def integer(self, form: str) -> int:
        """A big-endian integer: `h` of 16, `i` of 32, `q` of 64 bits."""
        value: int
        try:
            (value,) = struct.unpack_from(f">{form}", self._encoded, self._at)
        except struct.error as error:
            raise ValueError(str(error)) from None
        self._at += struct.calcsize(f">{form}")
        return value

    def string(self) -> str:
        """A string of at least no bytes: int16 length, then UTF-8."""
        length = self.integer("h")
        piece = self._encoded[self._at : self._at + length]
        if length < 0 or len(piece) < length:
            msg = "a string is longer than what is left"
            raise ValueError(msg)
        self._at += length
        return piece.decode()

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._encoded):
            msg = "bytes are left after the last field"
            raise ValueError(msg)


def checkpoint(key: bytes, value: bytes) -> Row:
    """Columns of one checkpoint. Raises ValueError when these are not the bytes of one, or of another version."""
    fields = Fields(key)
    row: Row = {"group_id": fields.string(), "topic": fields.string(), "partition": fields.integer("i")}
    fields.end()
    fields = Fields(value)
    if (version := fields.integer("h")) != _VERSION:
        msg = f"version {version}"
        raise ValueError(msg)
    row |= {"upstream_offset": fields.integer("q"), "downstream_offset": fields.integer("q")}
    fields.string()  # the metadata of the commit
    fields.end()
    return _possible(row)


def offset_sync(key: bytes, value: bytes) -> Row:
    """Columns of one offset sync. Raises ValueError when these are not the bytes of one."""
    fields = Fields(key)
    row: Row = {"topic": fields.string(), "partition": fields.integer("i")}
    fields.end()
    fields = Fields(value)
    row |= {"upstream_offset": fields.integer("q"), "downstream_offset": fields.integer("q")}
    fields.end()
    return _possible(row)


def _possible(row: Row) -> Row:
    numbers = (row["partition"], row["upstream_offset"], row["downstream_offset"])
    if min(numbers) < 0 or max(numbers) > MAX_OFFSET:
        msg = "a partition or an offset that cannot be"
        raise ValueError(msg)
    return row


class _Decode(Protocol):
    def __call__(self, key: bytes, value: bytes) -> Row:
        """Columns of one record."""
        ...


class _MirrorTopic:
    """One internal topic of MirrorMaker 2 as rows of one table."""

    is_continuous = True

    def __init__(self, table: str, decode: _Decode, tail: Tail, source_cluster: str, target_cluster: str) -> None:
        self.tables = (table,)
        self.target = tail.topic
        self.undecodable = 0
        """Records that are not what this topic holds: other versions, cut short, no timestamp."""
        self._decode = decode
        self._tail = tail
        self._clusters = {"source_cluster": source_cluster, "target_cluster": target_cluster}
        self._in_force: dict[tuple[object, ...], Row] | None = {}
        self._began_at: int | None = None

    def resume(self, captured: Iterable[Row]) -> None:
        """Keep the beginning that an earlier process has dated its first rows at.

        What was emitted since then is read again; a row that is captured already is equal, and counts once.
        """
        ours = [row for row in captured if all(row[name] == value for name, value in self._clusters.items())]
        self._began_at = min((row["emitted_at"] for row in ours), default=None)

    def collect(self) -> Sample:
        """Read what is new. Raises TransientError when the topic cannot be read; PartialLookError with what could."""
        drain = self._tail.drain()
        if self._began_at is None:
            self._began_at = drain.asked_at
        rows = [row for record in drain.records for row in self._take(record)]
        if not drain.is_caught_up:
            raise PartialLookError(_described(self.target, drain), {self.tables[0]: rows})
        rows = self._those_in_force(self._began_at) + rows
        return {self.tables[0]: rows}

    def close(self) -> None:
        """Release the connections."""
        self._tail.close()

    def _take(self, record: TailRecord) -> list[Row]:
        """The row of a record that was emitted since the tail began; an older one waits until it is the last."""
        row = self._row(record)
        if row is None:
            return []
        if not self._is_older(record, row):
            return [row]
        if self._in_force is not None:
            self._in_force[tuple(row.get(name) for name in _KEY)] = row
        return []

    def _is_older(self, record: TailRecord, row: Row) -> bool:
        return record.is_history and (self._began_at is None or row["emitted_at"] < self._began_at)

    def _row(self, record: TailRecord) -> Row | None:
        if record.value is None:  # compaction's own: nothing was emitted
            return None
        try:
            row = self._clusters | self._decode(record.key or b"", record.value)
        except ValueError:  # UnicodeDecodeError too
            row = None
        if row is None or record.timestamp_us is None:
            self.undecodable += 1
            return None
        return row | {"emitted_at": record.timestamp_us}

    def _those_in_force(self, began_at: int) -> list[Row]:
        """Once: the last record of each key from before the tail began, dated at its beginning."""
        rows, self._in_force = self._in_force or {}, None
        return [row | {"emitted_at": began_at} for row in rows.values()]


class Checkpoints(_MirrorTopic):
    """Checkpoints of one mirrored flow, from `<source alias>.checkpoints.internal` on the target cluster.

    `topic` is the name on the target, as MirrorMaker 2 writes it. A group and partition without a row has no
    checkpoint: after a failover it follows its reset policy.
    """

    def __init__(self, tail: Tail, source_cluster: str, target_cluster: str) -> None:
        """`tail` must start at the beginning of the topic; the clusters are named as in drill.yaml."""
        super().__init__("checkpoints", checkpoint, tail, source_cluster, target_cluster)


class OffsetSyncs(_MirrorTopic):
    """Offset syncs of one mirrored flow, from `mm2-offset-syncs.<target alias>.internal` on the source cluster.

    `topic` is the name on the source; the syncs of MirrorMaker 2's own heartbeats topic are among them.
    """

    def __init__(self, tail: Tail, source_cluster: str, target_cluster: str) -> None:
        """`tail` must start at the beginning of the topic; the clusters are named as in drill.yaml."""
        super().__init__("offset_syncs", offset_sync, tail, source_cluster, target_cluster)


def _described(topic: str, drain: Drain) -> str:
    return f"{topic}: partition " + ", ".join(f"{p} {why}" for p, why in sorted(drain.behind.items()))
