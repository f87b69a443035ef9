"""What is known of the clocks of brokers: arithmetic, and how it ages. Knows no client library."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtoanalytics_collectors.clocks import ClockReading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtoanalytics_collectors.sampling import Collector

DRIFT_PPM = 50.0
"""How fast two clocks are assumed to part at most, in millionths: an uncorrected quartz is better than that."""
KEPT_SECONDS = 600.0
"""How long the reading of a broker that does not answer is claimed at all."""
_HALF_STEP_US = 500
"""Half of the millisecond in which the coordinator's timestamp is given."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One commit: the coordinator stamped it between two readings of this host's clock, µs since the epoch."""

    asked_at: int
    answered_at: int
    stamped_ms: int
    """The coordinator's clock, cut to whole milliseconds since the epoch."""

    @property
    def offset_ms(self) -> float:
        """This host's clock minus the coordinator's, ms."""
        return ((self.asked_at + self.answered_at) / 2 - (self.stamped_ms * 1_000 + _HALF_STEP_US)) / 1_000

    @property
    def error_ms(self) -> float:
        """Half width of that measurement, ms: half the time between question and answer, and half a millisecond."""
        return ((self.answered_at - self.asked_at) / 2 + _HALF_STEP_US) / 1_000


class KnownClocks:
    """The last reading of each broker, whose error grows with its age. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stamps: Mapping[int, tuple[Stamp, float]] = {}

    def learn(self, stamps: Mapping[int, Stamp]) -> None:
        """Take new stamps by broker id; the other brokers keep theirs."""
        now = self._monotonic()
        self._stamps = {**self._stamps, **{broker: (stamp, now) for broker, stamp in stamps.items()}}

    def readings(self) -> dict[int, ClockReading]:
        """By broker id; a broker that was not measured for `KEPT_SECONDS` is left out."""
        return {broker: ClockReading(offset, error) for broker, (offset, error) in self._aged().items()}

    def widest(self) -> ClockReading | None:
        """The reading that reaches furthest from zero: no broker that is known is further away. None: none is known."""
        reading = max(self._aged().values(), key=lambda known: abs(known[0]) + known[1], default=None)
        return None if reading is None else ClockReading(*reading)

    def _aged(self) -> dict[int, tuple[float, float]]:
        """Offset and error, ms. Two clocks part by `DRIFT_PPM` at most; a clock that is set shows at the next look."""
        now = self._monotonic()
        return {
            broker: (stamp.offset_ms, stamp.error_ms + (now - measured_at) * DRIFT_PPM / 1_000)
            for broker, (stamp, measured_at) in self._stamps.items()
            if now - measured_at <= KEPT_SECONDS
        }


class Clocked:
    """A sampler of a cluster whose heartbeats carry what is known of the clocks of its brokers."""

    def __init__(self, collector: Collector, known: KnownClocks) -> None:
        self.tables = collector.tables
        self.target = collector.target
        self.collect = collector.collect
        self._known = known

    def reading(self) -> ClockReading | None:
        """The reading that reaches furthest from zero; None while no broker was measured."""
        return self._known.widest()
