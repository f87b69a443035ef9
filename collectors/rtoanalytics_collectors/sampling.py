"""The sampling loop: tick, collect, stamp, write, heartbeat. The clock and the stop event are passed in.

A heartbeat says that a collector was able to look at its target. If it could not look, it writes neither rows nor a
heartbeat, and the hole shows; a sample that finds nothing new is a heartbeat without rows. So silence is told from
zero. A sample that reached the cluster but not every partition is a heartbeat too: the partitions that did not
answer have no row, and their age shows it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.clocks import now_us, same_host_clock

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


class Heart:
    """Signs of life of one process: rows of `heartbeats`."""

    def __init__(self, spool: Spool, clock: Clock = now_us, reading: ClockReading | None = None) -> None:
        self._spool = spool
        self._clock = clock
        self._reading = reading or same_host_clock()

    def beat(self, collector: str, target: str | None, interval_seconds: float, rows: int) -> None:
        """Record that `collector` could look at `target` just now, having captured `rows` rows so far."""
        self._spool.append(
            {
                "collector": collector,
                "target": target,
                "occurred_at": self._clock(),
                "interval_seconds": interval_seconds,
                "rows": rows,
                "clock_offset_ms": self._reading.offset_ms,
                "clock_error_ms": self._reading.error_ms,
            }
        )


@dataclass
class Counts:
    """What one loop has done."""

    rows: int = 0
    ticks: int = 0
    missed: int = 0
    """Ticks at which the target could not be looked at."""
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
    ) -> None:
        self.collector = collector
        self.counts = Counts()
        self._spools = spools
        self._heart = heart
        self._interval_seconds = interval_seconds
        self._listener = listener
        self._rows = dict.fromkeys(collector.tables, 0)

    def run(self, stop: Stop, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Tick until `stop` is set, then once more. Ticks that a slow target made late are left out, not queued."""
        due = monotonic()
        while not stop.wait(max(0.0, due - monotonic())):
            self.tick()
            due = max(due + self._interval_seconds, monotonic())
        self.tick()

    def tick(self) -> None:
        """Look once: rows and a heartbeat when the target could be looked at, neither when it could not."""
        self.counts.ticks += 1
        try:
            sample = self.collector.collect()
        except ClusterError as error:
            self.counts.missed += 1
            self.counts.last_failure = str(error)
            return
        for table in self.collector.tables:
            self._write(table, sample.get(table, []))

    def _write(self, table: str, rows: list[Row]) -> None:
        spool = self._spools[table]
        spool.append(*rows)
        self._rows[table] += len(rows)
        self.counts.rows += len(rows)
        if spool.is_healthy:  # a collector that cannot keep what it sees is not a witness
            self._heart.beat(table, self.collector.target, self._interval_seconds, self._rows[table])
        if self._listener:
            self._listener(table, rows)


def start(loop: SamplingLoop, stop: Stop) -> threading.Thread:
    """Run `loop` in a thread of its own until `stop` is set; join the thread to wait for its last look."""
    thread = threading.Thread(target=loop.run, args=(stop,), name=f"collect {loop.collector.tables[0]}", daemon=True)
    thread.start()
    return thread
