"""The sampling loop: tick, collect, stamp, write, heartbeat. The clock and the stop event are passed in.

A heartbeat says that a collector was able to look at its target. If it could not look, it writes neither rows nor a
heartbeat, and the hole shows; a sample that finds nothing new is a heartbeat without rows. So silence is told from
zero. A sample that reached the cluster but not every partition is a heartbeat too: the partitions that did not
answer have no row, and their age shows it.

A sample says how a target was at one instant. What reads a log or an append-only table says more: what was written
while nobody could look is still there, so the look that succeeds has everything since the one before. Such a
collector `is_continuous`, and the loop then writes the heartbeats of the intervals in between as well: the outage is
no hole, because nothing that happened in it was missed. A look that found something but did not get to the end of it
(PartialLookError) keeps its rows and gives no heartbeat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.clocks import UNMEASURED, now_us, same_host_clock
from rtoanalytics_collectors.failures import PartialLookError

if TYPE_CHECKING:
    from rtoanalytics_collectors.clocks import Clock, ClockReading
    from rtoanalytics_collectors.spool import Row, Spool

Sample = dict[str, list["Row"]]
"""Rows by evidence table."""
Listener = Callable[[str, Sequence["Row"]], None]
"""Called with a table and the rows just written to it."""


class Stop(Protocol):
    """What ends a loop: a threading.Event."""

    def is_set(self) -> bool:
        """Whether the loop should end."""
        ...

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True when the loop should end."""
        ...


class Collector(Protocol):
    """One captured fact."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Evidence tables it fills; its heartbeats carry each of these names."""
        ...

    @property
    def target(self) -> str:
        """Cluster, downstream or group it looks at."""
        ...

    def collect(self) -> Sample:
        """Look once. Raises TransientError when the target could not be looked at."""
        ...


@runtime_checkable
class Continuous(Protocol):
    """A collector that may vouch for the time in which it could not look."""

    @property
    def is_continuous(self) -> bool:
        """Whether a look that succeeds has everything since the look before it, however long ago that was."""
        ...


@runtime_checkable
class OnCluster(Protocol):
    """A collector whose target may be on several clusters at a time, as a group is during a failover."""

    @property
    def cluster_name(self) -> str | None:
        """The cluster that it looks at its target on; None when the target is on one only."""
        ...


def beats_as(table: str, target: str, cluster: str | None) -> tuple[str, str]:
    """Collector and target in the heartbeats: of a target on one of several clusters, that cluster is the target.

    So a cluster that is lost puts what was captured of the same group on another one in no doubt.

    >>> beats_as("commits", "payments-sink", "recovery"), beats_as("watermarks", "primary", None)
    (('commits:payments-sink', 'recovery'), ('watermarks', 'primary'))
    """
    return (table, target) if cluster is None else (f"{table}:{target}", cluster)


@runtime_checkable
class ClockWitness(Protocol):
    """A collector that can tell this host's clock from its target's."""

    def reading(self) -> ClockReading | None:
        """This host's clock minus the target's, as of the last look; None when it was not measured."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """A collector that continues behind what an earlier process captured into the same bundle."""

    def resume(self, captured: Iterable[Row]) -> None:
        """Take the rows of its own first table that are captured already; called once, before the first look."""
        ...


@runtime_checkable
class Closing(Protocol):
    """A collector that holds connections."""

    def close(self) -> None:
        """Release them; nothing is asked of the collector after that."""
        ...


class Heart:
    """Signs of life of one process: rows of `heartbeats`."""

    def __init__(self, spool: Spool, clock: Clock = now_us, reading: ClockReading | None = None) -> None:
        """`reading` is what heartbeats say of the clock unless their collector measured it; default: same host."""
        self._spool = spool
        self._clock = clock
        self._reading = reading or same_host_clock()

    def now(self) -> int:
        """The present instant, microseconds since the epoch."""
        return self._clock()

    def beat(
        self,
        collector: str,
        target: str | None,
        interval_seconds: float,
        rows: int,
        *,
        occurred_at: int | None = None,
        reading: ClockReading | None = None,
    ) -> None:
        """Record that `collector` could look at `target`, having captured `rows` rows so far.

        `occurred_at` is in microseconds since the epoch, now by default.
        """
        clock = reading or self._reading
        self._spool.append(
            {
                "collector": collector,
                "target": target,
                "occurred_at": self._clock() if occurred_at is None else occurred_at,
                "interval_seconds": interval_seconds,
                "rows": rows,
                "clock_offset_ms": clock.offset_ms,
                "clock_error_ms": clock.error_ms,
            }
        )


FAREWELL_SECONDS = 86_400.0
"""The interval that the last heartbeat of a capture announces when it ends in order: nothing more is to come of it."""
HOLE_INTERVALS = 3
"""Heartbeats further apart than this many intervals leave a hole between them."""


@dataclass
class Counts:
    """What one loop has done."""

    rows: int = 0
    ticks: int = 0
    missed: int = 0
    """Ticks at which the target could not be looked at."""
    holes: int = 0
    """Times that two heartbeats stood more than three intervals apart."""
    last_beat_at: int | None = None
    """The last heartbeat of the first table, microseconds since the epoch."""
    last_failure: str | None = None


class SamplingLoop:
    """Runs one collector at a fixed interval until it is stopped, with a last look at the end."""

    def __init__(
        self,
        collector: Collector,
        spools: dict[str, Spool],
        heart: Heart,
        interval_seconds: float,
        listener: Listener | None = None,
        *,
        vouched_until: int | None = None,
    ) -> None:
        """`vouched_until` is the last heartbeat of an earlier process whose work a continuous collector resumes."""
        self.collector = collector
        self.counts = Counts(last_beat_at=vouched_until)
        self._spools = spools
        self._heart = heart
        self.interval_seconds = interval_seconds
        self._interval_us = max(1, round(interval_seconds * 1_000_000))
        self._listener = listener
        self._rows = dict.fromkeys(collector.tables, 0)

    def run(self, stop: Stop, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Tick until `stop` is set, then once more. Ticks that a slow target made late are left out, not queued."""
        due = monotonic()
        while not stop.wait(max(0.0, due - monotonic())):
            self.tick()
            due = max(due + self.interval_seconds, monotonic())
        self.tick()

    def tick(self) -> None:
        """Look once: rows and a heartbeat when the target could be looked at, neither when it could not."""
        self.counts.ticks += 1
        try:
            sample = self.collector.collect()
        except PartialLookError as error:
            self._miss(error)
            self._keep(error.sample)
            return
        except ClusterError as error:
            self._miss(error)
            return
        looked_at, since, before = self._heart.now(), self.counts.last_beat_at, dict(self._rows)
        self._keep(sample)
        for table in self._watched():
            if self._spools[table].is_healthy:  # a collector that cannot keep what it sees is not a witness
                self._witness(table, before[table], looked_at, since)

    def _watched(self) -> tuple[str, ...]:
        """Tables to vouch for. The notes that a collector adds to `events` are not all there is to note."""
        first, *others = self.collector.tables
        return (first, *(table for table in others if table != "events"))

    def _miss(self, error: ClusterError) -> None:
        self.counts.missed += 1
        self.counts.last_failure = str(error)

    def _keep(self, sample: Mapping[str, list[Row]]) -> None:
        """Write rows, on disk when this returns: before a heartbeat vouches for them."""
        for table in self.collector.tables:
            rows = sample.get(table, [])
            if rows:
                self._spools[table].append(*rows)
                self._spools[table].flush()
            self._rows[table] += len(rows)
            self.counts.rows += len(rows)
            if self._listener:
                self._listener(table, rows)

    def _witness(self, table: str, rows_before: int, looked_at: int, since: int | None) -> None:
        for occurred_at in self._unlooked(since, looked_at):
            self._beat(table, rows_before, occurred_at, UNMEASURED)
        self._beat(table, self._rows[table], looked_at, self._reading())
        self._count_beat(table, looked_at)

    def _beat(self, table: str, rows: int, occurred_at: int, reading: ClockReading | None) -> None:
        cluster = self.collector.cluster_name if isinstance(self.collector, OnCluster) else None
        name, target = beats_as(table, self.collector.target, cluster)
        self._heart.beat(name, target, self.interval_seconds, rows, occurred_at=occurred_at, reading=reading)

    def _unlooked(self, since: int | None, until: int) -> Iterable[int]:
        """Instants between two heartbeats, both exclusive, for which a continuous collector vouches."""
        if since is None or not self._is_continuous:
            return ()
        return range(since + self._interval_us, until, self._interval_us)

    @property
    def _is_continuous(self) -> bool:
        return isinstance(self.collector, Continuous) and self.collector.is_continuous

    def _reading(self) -> ClockReading | None:
        return self.collector.reading() if isinstance(self.collector, ClockWitness) else None

    def _count_beat(self, table: str, looked_at: int) -> None:
        if table != self.collector.tables[0]:
            return
        last = self.counts.last_beat_at
        if last is not None and not self._is_continuous and looked_at - last > HOLE_INTERVALS * self._interval_us:
            self.counts.holes += 1
        self.counts.last_beat_at = looked_at


def start(loop: SamplingLoop, stop: Stop) -> threading.Thread:
    """Run `loop` in a thread of its own until `stop` is set; join the thread to wait for its last look."""
    thread = threading.Thread(target=loop.run, args=(stop,), name=f"collect {loop.collector.tables[0]}", daemon=True)
    thread.start()
    return thread
