"""What is compared of a drill: each measure as the interval it is known to lie in, with its unit. Less is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtoanalytics.compare.intervals import UNKNOWN, Interval, rounded
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rtoanalytics.compare.readings import BurnDown
    from rtoanalytics.compare.scorecards import Check, Scorecard

RECOVERY_TIME = "recovery_time"
_JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE)


@dataclass(frozen=True)
class Value:
    """One measure of one drill."""

    interval: Interval
    verdict: Verdict | None
    """Of the check of that name; None where the scorecard has none."""
    limit: float | None
    reason: str | None
    """Why it is not known, or not known exactly; None where it is exact or an interval by its nature."""

    @property
    def is_judged(self) -> bool:
        """Whether the definition asks anything of it: only then does a change decide anything."""
        return self.verdict in _JUDGED


@dataclass(frozen=True)
class Source:
    """What the measures of one drill are read from."""

    scorecard: Scorecard
    burn_down: BurnDown
    step_seconds: float


Known = tuple[Interval, str | None]
"""What is known, and what keeps it from being more."""


@dataclass(frozen=True)
class Measure:
    """One number that every drill has, and how it is known. Its name is that of its check."""

    name: str
    unit: str
    known: Callable[[Source, Check], Known]


def values_of(source: Source) -> dict[str, Value]:
    """Every measure of a drill, by name, in the order of MEASURES."""
    return {measure.name: _value(measure, source) for measure in MEASURES}


def whole(value: float) -> float:
    """A count as a whole number, as the scorecard wrote it; other numbers as they are."""
    return int(value) if value == int(value) else value


def _value(measure: Measure, source: Source) -> Value:
    check = source.scorecard.check(measure.name)
    if check is None:
        return Value(UNKNOWN, None, None, "the scorecard has no such check")
    if check.verdict is Verdict.INCONCLUSIVE and measure.name != RECOVERY_TIME:
        return Value(UNKNOWN, check.verdict, check.limit, check.reason)
    interval, reason = measure.known(source, check)
    return Value(interval, check.verdict, check.limit, reason)


def _recovery_time(source: Source, _: Check) -> Known:
    """[low, high] of M9; not known where nothing broke, for then nothing was recovered from."""
    recovery = source.scorecard.recovery
    if recovery.outcome == "no_impact":
        return UNKNOWN, "no condition was ever broken: there is no recovery to compare"
    if recovery.rta_seconds_low is None:
        return UNKNOWN, recovery.reason or "the recovery time is not known"
    high = recovery.rta_seconds_high
    return Interval(recovery.rta_seconds_low, high), recovery.reason if high is None else None


def _relapses(source: Source, check: Check) -> Known:
    if source.scorecard.recovery.outcome != "restored":
        return UNKNOWN, "service was not restored, so nothing could break again"
    return _exactly(check)


def _recovery_point(_: Source, check: Check) -> Known:
    """Exact only where scans judged every record; where more are missing than allowed, at least those."""
    if check.verdict is Verdict.PASS:
        return _exactly(check)
    if check.verdict is Verdict.FAIL and check.measured is not None:
        return Interval(whole(check.measured)), "at least: records that no scan judges may be missing too"
    return UNKNOWN, check.reason


def _count(*tables: str) -> Callable[[Source, Check], Known]:
    """An exact count, if none of the tables it is made from has a hole."""

    def known(source: Source, check: Check) -> Known:
        doubt = _doubt(source.scorecard, tables)
        return (UNKNOWN, doubt) if doubt and check.verdict is not Verdict.PASS else _exactly(check)

    return known


def _skipped(source: Source, check: Check) -> Known:
    """Records whose fate the evidence does not tell may be skipped too."""
    interval, reason = _count("acks", "applied", "commits")(source, check)
    return _with_unresolved(source, interval, reason)


def _lost(source: Source, check: Check) -> Known:
    """Records without a fate, or that no scan judges, may be lost too."""
    if source.scorecard.drill.simulated_clusters:
        return UNKNOWN, "a simulated cluster proves nothing about loss"
    interval, reason = _count("acks", "applied")(source, check)
    point = source.scorecard.check("recovery_point")
    if not interval.is_known or (point and point.verdict is Verdict.PASS):
        return _with_unresolved(source, interval, reason)
    if check.verdict is Verdict.PASS and check.limit is not None:
        return Interval(interval.low, max(interval.low, whole(check.limit))), "not every record could be looked up"
    return Interval(interval.low), "at least: records that no scan judges may be lost too"


def _peak_lag(source: Source, check: Check) -> Known:
    """From the lag at the samples up to that at the next ones; what never passed the threshold is no backlog."""
    interval, reason = _count("commits", "watermarks")(source, check)
    if not interval.is_known:
        return interval, reason
    highest = source.burn_down.peak_lag_records_high
    high = None if highest is None else max(highest, interval.low)
    return _below_threshold(source, Interval(interval.low, high)), None


def _final_lag(source: Source, check: Check) -> Known:
    """A lag at or below the threshold counts as drained: which of those it was depends on the last instant alone."""
    interval, reason = _count("commits", "watermarks")(source, check)
    return (_below_threshold(source, interval) if interval.is_known else interval), reason


def _drain_time(source: Source, check: Check) -> Known:
    """Both ends stand on steps: one step less or more; without an end, at least what the capture shows."""
    interval, reason = _count("commits", "watermarks")(source, check)
    if not interval.is_known or interval.high is None:
        return interval, reason
    low = rounded(max(0.0, interval.low - source.step_seconds))
    if any(group.peak_at and not group.drained_at for group in source.scorecard.backlog):
        return Interval(low), "the backlog had not drained when the capture ended"
    return Interval(low, rounded(interval.high + source.step_seconds)), None


def _exactly(check: Check) -> Known:
    if check.measured is None:
        return UNKNOWN, check.reason
    value = whole(check.measured)
    return Interval(value, value), None


def _with_unresolved(source: Source, interval: Interval, reason: str | None) -> Known:
    unresolved = source.scorecard.totals.get("unresolved")
    if not interval.is_known or interval.high is None or not unresolved:
        return interval, reason
    return Interval(interval.low, interval.high + unresolved), f"{counted(unresolved, 'record')} without a fate"


def _below_threshold(source: Source, interval: Interval) -> Interval:
    thresholds = [group.threshold_records for group in source.scorecard.backlog]
    lowest = min((threshold for threshold in thresholds if threshold is not None), default=0)
    return Interval(0, max(lowest, interval.high or 0)) if interval.low <= lowest else interval


def _doubt(scorecard: Scorecard, tables: Sequence[str]) -> str | None:
    for table in tables:
        holes = scorecard.holes(table)
        if holes is None:
            return f"no {table} were captured"
        if holes:
            return f"the capture of {table} has {counted(holes, 'hole')}"
    return None


MEASURES: tuple[Measure, ...] = (
    Measure(RECOVERY_TIME, "seconds", _recovery_time),
    Measure("relapses", "relapses", _relapses),
    Measure("recovery_point", "records", _recovery_point),
    Measure("lost_records", "records", _lost),
    Measure("skipped_records", "records", _skipped),
    Measure("duplicated_records", "records", _count("acks", "applied")),
    Measure("reordered_records", "records", _count("acks", "applied")),
    Measure("produced_twice", "records", _count("acks")),
    Measure("unacked_effects", "effects", _count("acks", "applied")),
    Measure("failed_produces", "produces", _count("acks")),
    Measure("peak_lag", "records", _peak_lag),
    Measure("drain_time", "seconds", _drain_time),
    Measure("final_lag", "records", _final_lag),
)
"""Every measure, in the order in which it is shown."""

UNITS = {measure.name: measure.unit for measure in MEASURES}
