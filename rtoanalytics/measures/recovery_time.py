"""M9: how long did it take until the service was restored, as an interval as wide as the sampling?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted, seconds


class Outcome(StrEnum):
    """What the steps from the clock start on show."""

    RESTORED = "restored"
    """It broke, and held again for hold_seconds."""
    CENSORED = "censored"
    """It broke, and did not hold again inside the capture."""
    NO_IMPACT = "no_impact"
    """Every step was good: the drill hurt nothing, which proves little."""
    UNKNOWN = "unknown"
    """No clock start, no condition, no step, or steps that are neither good nor bad."""


@dataclass(frozen=True)
class RecoveryTime:
    """The recovery time actual of one condition, or of the service as a whole ("all")."""

    condition: str
    outcome: Outcome
    verdict: Verdict
    reason: str
    clock_started_us: int | None = None
    impact_us: int | None = None
    restored_us: int | None = None
    rta_seconds_low: float | None = None
    """Not restored before this many seconds after the clock start."""
    rta_seconds_high: float | None = None
    """Restored at the latest this many seconds after the clock start; None while it is not known to be."""
    relapses: int = 0


def recovery_time(row: dict[str, Any], *, rto_seconds: float, clock_error_seconds: float) -> RecoveryTime:
    """The recovery time of one row of the relation `recovery_times`.

    1. Never bad: `no_impact` (0 s) if every step was good, else `unknown`.
    2. Restored: low = last bad step before it − clock start, high = restored step − clock start. Unknown steps between
       the two widen the interval. Each end is widened by the clock error on record; low does not go below 0.
    3. Not restored inside the capture: `censored`, low as above, high open.
    4. pass if high ≤ RTO, fail if low ≥ RTO, else inconclusive.

    What it does not prove: anything about conditions that were not declared.

    >>> row = dict(condition="all", clock_started_us=0, impact_us=2_000_000, restored_us=9_000_000,
    ...            last_bad_us=8_000_000, bad_steps=7, unknown_steps=0, unknown_before_restored=0, relapses=0)
    >>> time = recovery_time(row, rto_seconds=10, clock_error_seconds=0.25)
    >>> time.rta_seconds_low, time.rta_seconds_high, time.verdict.value
    (7.75, 9.25, 'pass')
    """
    if row["clock_started_us"] is None:
        return unknown_recovery(row["condition"], "no event started the clock")
    if not row["bad_steps"]:
        return _never_bad(row)
    low = max(0.0, _seconds(row["last_bad_us"] - row["clock_started_us"]) - clock_error_seconds)
    high = None
    if row["restored_us"] is not None:
        high = _seconds(row["restored_us"] - row["clock_started_us"]) + clock_error_seconds
    verdict, reason = _judge(row, low, high, rto_seconds)
    return RecoveryTime(
        condition=row["condition"],
        outcome=Outcome.CENSORED if high is None else Outcome.RESTORED,
        verdict=verdict,
        reason=reason,
        clock_started_us=row["clock_started_us"],
        impact_us=row["impact_us"],
        restored_us=row["restored_us"],
        rta_seconds_low=low,
        rta_seconds_high=high,
        relapses=row["relapses"],
    )


def unknown_recovery(condition: str, reason: str, clock_started_us: int | None = None) -> RecoveryTime:
    """A recovery about which the evidence says nothing."""
    return RecoveryTime(condition, Outcome.UNKNOWN, Verdict.INCONCLUSIVE, reason, clock_started_us)


def _never_bad(row: dict[str, Any]) -> RecoveryTime:
    clock = row["clock_started_us"]
    if row["unknown_steps"]:
        reason = f"no step was bad, but {row['unknown_steps']} could not be judged: an impact may hide there"
        return unknown_recovery(row["condition"], reason, clock)
    reason = "no condition was ever broken: a drill that hurt nothing proves little"
    return RecoveryTime(
        row["condition"], Outcome.NO_IMPACT, Verdict.PASS, reason, clock, rta_seconds_low=0.0, rta_seconds_high=0.0
    )


def _judge(row: dict[str, Any], low: float, high: float | None, rto_seconds: float) -> tuple[Verdict, str]:
    if high is not None and high <= rto_seconds:
        return Verdict.PASS, f"restored between {seconds(low)} and {seconds(high)} after the clock start"
    if low >= rto_seconds:
        until = "and not restored inside the capture" if high is None else f"restored after at most {seconds(high)}"
        return Verdict.FAIL, f"still broken {seconds(low)} after the clock start, {until}"
    if high is None:
        return Verdict.INCONCLUSIVE, f"last seen broken after {seconds(low)}, and the capture ends before it held again"
    return Verdict.INCONCLUSIVE, _undecided(row, low, high, rto_seconds)


def _undecided(row: dict[str, Any], low: float, high: float, rto_seconds: float) -> str:
    between = row["unknown_before_restored"]
    if between:
        cause = f"{counted(between, 'step')} between the last bad and the restored one could not be judged"
    else:
        cause = f"sampling finer than {seconds(high - low)} around the restoration would have decided it"
    span = f"restored between {seconds(low)} and {seconds(high)}"
    return f"{span}, and the objective of {seconds(rto_seconds)} lies between: {cause}"


def _seconds(microseconds: int) -> float:
    return microseconds / 1_000_000
