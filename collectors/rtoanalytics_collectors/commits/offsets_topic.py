"""Commits and group states of one group, from `__consumer_offsets`: every commit, with the coordinator's timestamp.

All records of a group are in one partition of that topic, and a commit of a transaction becomes visible with its end
(read_committed). One collector follows one group with a reader of its own, so a hole in the evidence of one group
does not put another in doubt. It joins no group and commits nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.commits.decoding import decode
from rtoanalytics_collectors.commits.group_log import SOURCE, TABLES, GroupLog, captured_until
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.sampling import HOLE_INTERVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rtoanalytics_collectors.clocks import Clock
    from rtoanalytics_collectors.kafka import LogEnds, Metadata, TopicPartition
    from rtoanalytics_collectors.kafka.tailing import Drain
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row


class OffsetsTail(Protocol):
    """The partition of the topic that holds the group, followed."""

    @property
    def next_offsets(self) -> Mapping[int, int]:
        """The next offset to read by partition."""
        ...

    def drain(self) -> Drain:
        """Everything new."""
        ...

    def close(self) -> None:
        """Release the connections."""
        ...


class OffsetsCluster(Protocol):
    """What is asked of the cluster: `KafkaCluster` has it."""

    name: str

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Brokers, and the partitions of `topics`."""
        ...

    def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, LogEnds]:
        """Log start and log end of `partitions`."""
        ...

    def tail(self, topic: str, partitions: Iterable[int]) -> OffsetsTail:
        """Some partitions of a topic, followed from their log start."""
        ...


def partition_of(group_id: str, partitions: int) -> int:
    """The partition of `__consumer_offsets` that holds a group: the absolute value of Java's hash, modulo their number.

    The hash runs over the UTF-16 code units of the id; the one hash without an absolute value counts as 0.

    >>> partition_of("payments-sink", 50)
    27
    """
    code = 0
    units = group_id.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    signed = code - (1 << 32) if code >> 31 else code
    return 0 if signed == -(1 << 31) else abs(signed) % partitions


class OffsetsTopic:
    """Every commit of one group, its states, and what was removed, from the group's partition of the topic.

    A look that succeeds has every commit that was in the log when it began. It does not succeed while an open
    transaction (of any group in that partition) holds commits back, while there is more to read, and, so that the hole
    shows, for more than three intervals after a record that cannot be read.
    """

    tables = TABLES

    def __init__(
        self,
        cluster: OffsetsCluster,
        group_id: str,
        *,
        interval_seconds: float = 0.5,
        clock: Clock = now_us,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`interval_seconds` is that of the loop which looks."""
        self.target = group_id
        self._cluster = cluster
        self._blind_seconds = (HOLE_INTERVALS + 0.5) * interval_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._captured: tuple[int, int] | None = None
        self._tail: OffsetsTail | None = None
        self._partition = 0
        self._log: GroupLog | None = None
        self._blind_until: float | None = None
        self._has_lost = False

    @property
    def cluster_name(self) -> str:
        """The cluster that the group is looked at on: one group id may live on several."""
        return self._cluster.name

    @property
    def undecodable(self) -> int:
        """Records that could not be read, and may have been about this group."""
        return self._log.undecodable if self._log else 0

    @property
    def is_continuous(self) -> bool:
        """Whether the last look vouches for the time since the one before: not when a commit may have been lost."""
        return not self._has_lost

    def resume(self, captured: Iterable[Row]) -> None:
        """Go on behind the last commit of this group on this cluster that came from the log.

        The log is read from its start all the same, for the state of the group; of its commits, those at offsets
        above the largest commit_seq captured become rows.
        """
        self._captured = captured_until(captured, self._cluster.name, self.target)

    def collect(self) -> Sample:
        """Look once. Raises PartialLookError, with the rows so far, when the look does not have everything."""
        self._has_lost = self._blind_until is not None
        asked_at = self._clock()
        tail, log = self._connected(asked_at)
        log_end = self._log_end()
        drain = tail.drain()
        self._take(drain, log)
        is_read = drain.is_caught_up and tail.next_offsets.get(self._partition, 0) >= log_end
        if drain.is_caught_up:
            log.end_history()
        sample = log.sample(asked_at)
        self._refuse_doubt(sample, drain, is_read=is_read)
        return sample

    def close(self) -> None:
        """Close the connections."""
        if self._tail:
            self._tail.close()
            self._tail = None

    def _connected(self, asked_at: int) -> tuple[OffsetsTail, GroupLog]:
        if self._tail is None or self._log is None:
            partitions = len(self._cluster.metadata([SOURCE]).partitions)
            if not partitions:
                msg = f'cluster "{self._cluster.name}": {SOURCE} is not there (yet), or may not be described'
                raise TransientError(msg)
            self._partition = partition_of(self.target, partitions)
            self._tail = self._cluster.tail(SOURCE, [self._partition])
            seq, began_at = self._captured or (None, asked_at)
            self._log = GroupLog(self._cluster.name, self.target, began_at, seq)
        return self._tail, self._log

    def _log_end(self) -> int:
        """The end of the partition, open transactions included."""
        place = (SOURCE, self._partition)
        return self._cluster.log_ends([place])[place].log_end_offset

    def _take(self, drain: Drain, log: GroupLog) -> None:
        lost = log.lost_commits
        for gap in drain.gaps:
            text = f"{SOURCE}-{gap.partition}: offsets {gap.from_offset} to {gap.to_offset} are gone ({gap.reason})"
            log.note(f"group {self.target}: {text}; commits may be missing from the evidence", drain.asked_at)
        for record in drain.records:
            if not record.is_history:
                log.end_history()
            log.take(record.offset, decode(record.key, record.value), record.timestamp_ms, drain.asked_at)
        if drain.gaps or log.lost_commits > lost:
            self._blind_until = self._monotonic() + self._blind_seconds

    def _refuse_doubt(self, sample: Sample, drain: Drain, *, is_read: bool) -> None:
        """Raise PartialLookError when the look does not vouch for every commit."""
        why = None
        if self._blind_until is not None and self._monotonic() < self._blind_until:
            why = "a commit may have been lost"
        elif not drain.is_caught_up:
            why = "; ".join(drain.behind.values())
        elif not is_read:
            why = "an open transaction holds commits back"
        if why:
            msg = f'cluster "{self._cluster.name}", {SOURCE}-{self._partition}, group {self.target}: {why}'
            raise PartialLookError(msg, sample)
        self._blind_until = None
