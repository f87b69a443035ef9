"""Instants and what is known of the clock that gave them.

Instants are int microseconds since the Unix epoch, UTC: what the evidence holds, without a float in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], int]
"""Gives the present instant in microseconds since the epoch."""

_READINGS = 64


def now_us() -> int:
    """The present instant of this host's wall clock, microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass(frozen=True)
class ClockReading:
    """How far a clock is from the reference clock of the drill, and how well that is known."""

    offset_ms: float | None
    """This clock minus the reference clock, ms; None when nothing was there to measure against."""
    error_ms: float | None
    """Half width of that measurement, ms."""


UNMEASURED = ClockReading(None, None)
"""A clock that was compared with nothing."""


def same_host_clock() -> ClockReading:
    """The reading of a collector on the host whose clock is the reference: offset 0.

    The error is half the longest of some brackets of one wall clock reading between two readings of the monotonic
    clock, and at least the step of the wall clock: what separates "it happened" from "we read the clock".
    """
    longest_ns = max(_bracket_ns() for _ in range(_READINGS))
    resolution_ns = time.get_clock_info("time").resolution * 1e9
    return ClockReading(0.0, max(longest_ns / 2, resolution_ns) / 1e6)


def _bracket_ns() -> int:
    before = time.monotonic_ns()
    time.time_ns()
    return time.monotonic_ns() - before
