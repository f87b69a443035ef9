"""What is known of one number: the interval it lies in, and whether one such number differs from another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Interval:
    """A quantity of at least 0 that lies in [low, high], both inclusive; `high` None: no upper bound is known.

    What nobody measured lies in [0, None]: every quantity that is compared is a duration or a count.
    """

    low: float = 0
    high: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is known beyond its being a quantity."""
        return self != UNKNOWN

    @property
    def is_exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high


UNKNOWN = Interval()


class Outcome(StrEnum):
    """How a quantity, of which less is better, changed from one drill to another."""

    REGRESSION = "regression"
    """Certainly more than before: the intervals do not meet."""
    IMPROVEMENT = "improvement"
    """Certainly less than before: the intervals do not meet."""
    UNCHANGED = "unchanged"
    """The same exact number."""
    OVERLAPPING = "overlapping"
    """The intervals meet: no change can be told from none."""
    UNKNOWN = "unknown"
    """One of the two is not known, or lost its upper bound."""


def outcome(before: Interval, after: Interval) -> Outcome:
    """How a quantity changed; a change is one only if the two intervals do not meet.

    1. `after` begins above the end of `before`: regression. It ends below the beginning of `before`: improvement.
    2. Either is not known, or `after` has no upper bound where `before` had one: unknown.
    3. Both are the same number: unchanged. Else overlapping.

    >>> outcome(Interval(23, 24), Interval(25, None)).value, outcome(Interval(23, 24), Interval(24, 26)).value
    ('regression', 'overlapping')
    >>> outcome(Interval(5, 5), UNKNOWN).value, outcome(Interval(5, 5), Interval(5, 5)).value
    ('unknown', 'unchanged')
    """
    if before.high is not None and after.low > before.high:
        return Outcome.REGRESSION
    if after.high is not None and after.high < before.low:
        return Outcome.IMPROVEMENT
    if not (before.is_known and after.is_known) or (after.high is None and before.high is not None):
        return Outcome.UNKNOWN
    return Outcome.UNCHANGED if before == after and before.is_exact else Outcome.OVERLAPPING


def difference(before: Interval, after: Interval) -> tuple[float | None, float | None]:
    """The least and the most by which a quantity may have grown; None where there is no bound.

    >>> difference(Interval(23, 24), Interval(30, 32)), difference(Interval(23, 24), Interval(30, None))
    ((6, 9), (6, None))
    """
    low = None if before.high is None else rounded(after.low - before.high)
    high = None if after.high is None else rounded(after.high - before.low)
    return low, high


def rounded(value: float) -> float:
    """A number to six decimals, as the scorecard writes them: no noise of subtractions."""
    return value if isinstance(value, int) else round(value, 6)
