"""Where a measure has been going over four drills or more: a robust slope with its interval (Theil–Sen).

Each pair of drills gives one slope. The estimate is their median, so that a single odd drill does not carry the line.
The interval comes from ranks (Sen 1968): if the true slope were b, how many pairs lie below b has the distribution of
Kendall's statistic. Up to EXACT_DRILLS that distribution is counted out, not approximated, for a normal curve says
little of four drills; with four, the widest interval there is has a confidence of 92 %, which is why every interval
states its own.

A measure is an interval, and so is each slope: from the least to the most its two drills allow. The lower end of the
answer comes from the lower ends, the upper from the upper ones. What nobody measured may be anything from 0 on, so
that missing results widen the answer and never make a trend of it.

It does not prove: a cause, that the line is straight, or that the next drill follows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import comb, inf, isfinite, sqrt
from statistics import NormalDist, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rtoanalytics.compare.intervals import Interval

FEWEST_DRILLS = 4
"""With fewer, no trend is claimed."""
MOST_DRILLS = 200
"""The newest of so many drills enter; pairs grow with their square."""
EXACT_DRILLS = 60
"""Up to here Kendall's distribution is counted out; beyond, it is taken for normal (Sen's own formula)."""
CONFIDENCE = 0.95
"""At least this, where the number of drills allows it."""
DAYS_A_QUARTER = 365.25 / 4

Point = tuple["datetime", "Interval"]


@dataclass(frozen=True)
class Trend:
    """The slope of one measure, in its unit per quarter."""

    direction: str
    """worsening or improving (the interval lies on one side of 0), level (it is 0 and nothing else), none (it holds
    0), undecided (an end of it is not known), or too_few."""
    drills: int
    known: int
    """Drills of which the measure is known."""
    slope: float | None = None
    """Median over pairs of drills whose measure is bounded, from the middle of each."""
    slope_low: float | None = None
    slope_high: float | None = None
    confidence: float | None = None
    """Of the interval, at least."""


def trend(points: Sequence[Point]) -> Trend:
    """The trend through dated drills of one series, oldest first.

    >>> from datetime import UTC, datetime
    >>> from rtoanalytics.compare.intervals import Interval
    >>> found = trend([(datetime(2026, month, 1, tzinfo=UTC), Interval(value, value))
    ...                for month, value in [(1, 40), (4, 30), (7, 20), (10, 10)]])
    >>> found.direction, round(found.slope), round(found.confidence, 3)
    ('improving', -10, 0.917)
    """
    used = points[-MOST_DRILLS:]
    known = sum(interval.is_known for _, interval in used)
    if len(used) < FEWEST_DRILLS:
        return Trend("too_few", len(used), known)
    cut, confidence = rank_cut(len(used))
    slopes = [_slopes(earlier, later) for earlier, later in combinations(used, 2)]
    low = sorted(low for low, _ in slopes)[cut]
    high = sorted((high for _, high in slopes), reverse=True)[cut]
    return Trend(
        direction=_direction(low, high),
        drills=len(used),
        known=known,
        slope=_estimate(used),
        slope_low=_finite(low),
        slope_high=_finite(high),
        confidence=round(confidence, 4),
    )


def rank_cut(drills: int) -> tuple[int, float]:
    """How many of the outermost slopes are left off at each end, and the confidence that is left.

    >>> [rank_cut(drills)[0] for drills in (4, 5, 6, 10)]
    [0, 0, 1, 11]
    """
    if drills > EXACT_DRILLS:
        return _normal_cut(drills)
    tail, cut, beyond = 0.0, 0, 0.0
    for below, share in enumerate(kendall_shares(drills)):
        tail += share
        if below and 2 * tail > 1 - CONFIDENCE:
            break
        cut, beyond = below, tail
    return cut, 1 - 2 * beyond


@cache
def kendall_shares(drills: int) -> tuple[float, ...]:
    """How often 0, 1, 2 … of the pairs of so many values in random order are in falling order.

    >>> [round(share * 24) for share in kendall_shares(4)]
    [1, 3, 5, 6, 5, 3, 1]
    """
    counts = [1]
    total = 1
    for size in range(2, drills + 1):
        total *= size
        reach = comb(size, 2) + 1
        counts = [sum(counts[max(0, place - size + 1) : place + 1]) for place in range(reach)]
    return tuple(count / total for count in counts)


def _normal_cut(drills: int) -> tuple[int, float]:
    spread = sqrt(drills * (drills - 1) * (2 * drills + 5) / 18)
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * spread
    return int((comb(drills, 2) - reach) / 2), CONFIDENCE


def _slopes(earlier: Point, later: Point) -> tuple[float, float]:
    """The least and the most slope that two drills allow; drills of one instant allow any."""
    quarters = _quarters(earlier, later)
    before, after = earlier[1], later[1]
    if not quarters:
        return -inf, inf
    low = -inf if before.high is None else (after.low - before.high) / quarters
    high = inf if after.high is None else (after.high - before.low) / quarters
    return low, high


def _estimate(points: Iterable[Point]) -> float | None:
    middles = [(when, (value.low + value.high) / 2) for when, value in points if value.high is not None]
    pairs = [
        (after - before) / quarters
        for (earlier, before), (later, after) in combinations(middles, 2)
        if (quarters := (later - earlier).total_seconds() / 86_400 / DAYS_A_QUARTER)
    ]
    return round(median(pairs), 6) if pairs else None


def _quarters(earlier: Point, later: Point) -> float:
    return (later[0] - earlier[0]).total_seconds() / 86_400 / DAYS_A_QUARTER


def _direction(low: float, high: float) -> str:
    if low > 0:
        return "worsening"
    if high < 0:
        return "improving"
    if low == high == 0:
        return "level"
    return "none" if isfinite(low) and isfinite(high) else "undecided"


def _finite(value: float) -> float | None:
    return round(value, 6) if isfinite(value) else None
