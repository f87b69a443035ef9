"""The end of a topic, followed: everything that was appended since the last look, partition by partition.

A look first asks the leaders where each partition ends, then reads until it is there. So a look that succeeds has
everything that was in the topic when it began, and says so; one that does not says which partitions it is behind on.
No group is joined and nothing is committed. Records may come twice (after a log was truncated), never be skipped: what
can no longer be read is a `Gap`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.client import client_module, failure, new_consumer
from rtoanalytics_collectors.kafka.tail_ends import END, START, TailEnds
from rtoanalytics_collectors.kafka.tail_facts import Drain, Gap, Tail, TailRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka.client import Client

__all__ = ["Drain", "Gap", "KafkaTail", "Tail", "TailRecord"]

LOOK_SECONDS = 1.0
"""The longest one look reads, on top of the questions about the log ends."""
MAX_RECORDS = 100_000
"""The most records of one look; the rest comes with the next."""
_BATCH = 500
"""Messages that stay in the processor's cache, and are fewer than make Python look for garbage."""
_POLL_SECONDS = 0.05
_SUSPICIONS = 2
_TIMESTAMP_TYPES = {1: "CreateTime", 2: "LogAppendTime"}
_OUT_OF_RANGE = ("_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE", "_LOG_TRUNCATION")
_TAIL = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 250,
    "fetch.wait.max.ms": 100,  # the end of a log that ends in transaction markers is told by an empty fetch
    "fetch.error.backoff.ms": 50,
    "topic.metadata.refresh.interval.ms": 2_000,
    "queued.max.messages.kbytes": 16_384,
    "allow.auto.create.topics": False,
}
_ALWAYS = {
    "group.id": "rtoanalytics-tail",  # a name the client insists on; it is never joined
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
}


class KafkaTail:
    """Follows every partition of one topic, partitions that are added included. For one thread.

    `start` is `beginning` (the log start), `end` (only what comes), or offsets by partition to continue from (the next
    offset to read; partitions not named start at the beginning). Nothing is asked before the first `drain`.
    """

    def __init__(
        self,
        cluster: str,
        bootstrap_servers: str,
        topic: str,
        settings: Mapping[str, Any] | None = None,
        *,
        start: str | Mapping[int, int] = "beginning",
        isolation: str = "read_committed",
        look_seconds: float = LOOK_SECONDS,
        clock: Clock = now_us,
    ) -> None:
        self.topic = topic
        self.began_at: dict[int, int] = {}
        """When each partition was first looked at, µs since the epoch: older records have `is_history`."""
        self.only: frozenset[int] | None = None
        """The partitions to follow; None for every one. Set before the first look."""
        self.next_offsets: dict[int, int] = {}
        """The next offset to read of each partition: what a later tail can `start` from."""
        self._cluster = cluster
        self._start = start
        self._look_seconds = look_seconds
        self._clock = clock
        ours = {"bootstrap.servers": bootstrap_servers, "isolation.level": isolation}
        self._settings = {**_TAIL, **(settings or {}), **_ALWAYS, **ours}
        self._reader: Client | None = None
        self._ends: TailEnds | None = None
        self._history_ends: dict[int, int] = {}
        self._first_partitions: frozenset[int] = frozenset()
        self._suspicions: dict[int, int] = {}
        self._out_of_range: set[int] = set()

    def drain(self) -> Drain:
        """Read what is there. Raises TransientError when the topic is not there (yet) or no leader answers.

        Bounded by the look's seconds and `MAX_RECORDS`: partitions with more to read are `behind`. Raises ClusterError
        when the cluster refuses it.
        """
        reader, ends = self._connected()
        asked_at = self._clock()
        leaders = self._chosen(ends.leaders())
        log_ends = ends.ask(leaders, END)
        if not log_ends:
            raise TransientError(self._message("no leader answered when asked for the log ends"))
        self._begin(reader, ends, leaders, log_ends, asked_at)
        gaps = self._begin_again(reader, ends, leaders, log_ends)
        records = self._read(reader, log_ends)
        behind = {p: _silence(leader) for p, leader in leaders.items() if p not in log_ends}
        behind |= {p: "has more to read" for p, end in log_ends.items() if self._is_behind(p, end)}
        return Drain(records, asked_at, behind, tuple(gaps))

    def close(self) -> None:
        """Close the connections. A later `drain` opens them again and continues."""
        if self._reader is not None:
            self._reader.close()
        self._reader = self._ends = None

    def _chosen(self, leaders: Mapping[int, int | None]) -> Mapping[int, int | None]:
        return leaders if self.only is None else {p: leader for p, leader in leaders.items() if p in self.only}

    def _connected(self) -> tuple[Client, TailEnds]:
        if self._reader is None or self._ends is None:
            self._reader = new_consumer(self._settings)
            self._ends = TailEnds(self._cluster, self.topic, self._reader, self._settings)
            self._assign(self._reader, self.next_offsets)
        return self._reader, self._ends

    def _begin(
        self,
        reader: Client,
        ends: TailEnds,
        leaders: Mapping[int, int | None],
        log_ends: Mapping[int, int],
        asked_at: int,
    ) -> None:
        """Start on partitions that are new here: at the tail's start, or, added later, at their own."""
        is_first = not self.next_offsets
        self._first_partitions = self._first_partitions or frozenset(leaders)
        new = {p: leader for p, leader in leaders.items() if p in log_ends and p not in self.next_offsets}
        starts = ends.ask(new, START) if new else {}
        for partition, log_start in starts.items():
            offset = self._first_offset(partition, log_start, log_ends[partition], is_first=is_first)
            self.next_offsets[partition] = offset
            self.began_at[partition] = asked_at
            self._history_ends[partition] = log_ends[partition] if partition in self._first_partitions else 0
        self._assign(reader, {p: self.next_offsets[p] for p in starts})

    def _first_offset(self, partition: int, log_start: int, log_end: int, *, is_first: bool) -> int:
        if not isinstance(self._start, str):
            return self._start.get(partition, log_start)
        return log_end if self._start == "end" and is_first else log_start

    def _begin_again(
        self, reader: Client, ends: TailEnds, leaders: Mapping[int, int | None], log_ends: Mapping[int, int]
    ) -> list[Gap]:
        """Go to the log start of every partition whose next offset is not in its log any more."""
        self._suspect(log_ends)
        lost = {p: leaders[p] for p in self._out_of_range if p in log_ends}
        starts = ends.ask(lost, START) if lost else {}
        gaps = [_gap(p, self.next_offsets[p], log_start) for p, log_start in starts.items()]
        self.next_offsets |= starts
        if starts:
            reader.incremental_unassign(self._partitions(starts))
            self._assign(reader, starts)
        self._out_of_range -= starts.keys()
        return gaps

    def _suspect(self, log_ends: Mapping[int, int]) -> None:
        """A log that ends below what was read, look after look, is another log; a deposed leader says so once."""
        below = [p for p, end in log_ends.items() if end < self.next_offsets.get(p, 0)]
        suspicions = {p: self._suspicions.get(p, 0) + 1 for p in below}
        certain = {p for p, looks in suspicions.items() if looks >= _SUSPICIONS}
        self._out_of_range |= certain
        self._suspicions = {p: looks for p, looks in suspicions.items() if p not in certain}

    def _assign(self, reader: Client, offsets: Mapping[int, int]) -> None:
        if offsets:
            reader.incremental_assign(self._partitions(offsets))

    def _partitions(self, offsets: Mapping[int, int]) -> list[Client]:
        client = client_module()
        return [client.TopicPartition(self.topic, partition, offset) for partition, offset in offsets.items()]

    def _read(self, reader: Client, log_ends: Mapping[int, int]) -> list[TailRecord]:
        records: list[TailRecord] = []
        deadline = time.monotonic() + self._look_seconds
        while any(self._is_behind(p, end) for p, end in log_ends.items()):
            for message in reader.consume(_BATCH, _POLL_SECONDS):
                self._take(message, records)
            if time.monotonic() >= deadline or len(records) >= MAX_RECORDS:
                break
        return records

    def _take(self, message: Client, records: list[TailRecord]) -> None:
        error, partition = message.error(), message.partition()
        if error is None:
            record = self._record(message, partition)
            records.append(record)
            self.next_offsets[partition] = record.offset + 1
        elif error.name() == "_PARTITION_EOF":
            self.next_offsets[partition] = max(message.offset(), self.next_offsets[partition])
        elif error.name() in _OUT_OF_RANGE:
            self._out_of_range.add(partition)
        elif error.name() == "TOPIC_AUTHORIZATION_FAILED" and not records:
            raise failure(self._cluster, f"records of {self.topic}", error)

    def _is_behind(self, partition: int, log_end: int) -> bool:
        is_unsure = partition in self._suspicions or partition in self._out_of_range
        return is_unsure or self.next_offsets.get(partition, -1) < log_end

    def _record(self, message: Client, partition: int) -> TailRecord:
        kind, timestamp_ms = message.timestamp()
        type_name = _TIMESTAMP_TYPES.get(kind)
        epoch, offset = message.leader_epoch(), message.offset()
        return TailRecord(
            partition,
            offset,
            message.key(),
            message.value(),
            message.headers() or (),
            timestamp_ms if type_name and timestamp_ms >= 0 else None,
            type_name,
            epoch if epoch is not None and epoch >= 0 else None,
            offset < self._history_ends.get(partition, 0),
        )

    def _message(self, what: str) -> str:
        return f'cluster "{self._cluster}", topic {self.topic}: {what}'


def _silence(leader: int | None) -> str:
    return "has no leader" if leader is None else f"broker {leader} did not answer for it"


def _gap(partition: int, wanted: int, log_start: int) -> Gap:
    reason = "retention" if wanted < log_start else "truncation"
    return Gap(partition, min(wanted, log_start), max(wanted, log_start), reason)
