"""RTO target: was the service restored in time, and did the runbook keep to its plan?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.measures.recovery_time import Outcome
from rtoanalytics.scorecard.checks import Case, Check, reported
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator


def rto_target(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    yield _recovery_time(case)
    yield _capture_spans_recovery(case)
    yield _clocks_agree(case)
    yield _relapses(case)
    for step in sorted(case.measures.runbook, key=lambda step: step["position"]):
        yield _step_on_time(step)


def _recovery_time(case: Case) -> Check:
    recovery = case.measures.recovery
    measured = recovery.rta_seconds_low if recovery.rta_seconds_high is None else recovery.rta_seconds_high
    return Check(
        "recovery_time",
        recovery.verdict,
        measured,
        case.drill.objectives.rto_seconds,
        "seconds",
        _slowest(case),
        ("recovery.parquet", "timeline.parquet"),
    )


def _slowest(case: Case) -> str:
    """The reason, and which condition held the recovery back."""
    recovery = case.measures.recovery
    if recovery.outcome not in (Outcome.RESTORED, Outcome.CENSORED) or len(case.measures.conditions) < 2:  # noqa: PLR2004
        return recovery.reason
    open_ones = [time.condition for time in case.measures.conditions if time.outcome is Outcome.CENSORED]
    if open_ones:
        return f"{recovery.reason}; {', '.join(open_ones)} did not hold again"
    closed = [time for time in case.measures.conditions if time.rta_seconds_high]
    last = max(closed, key=lambda time: time.rta_seconds_high or 0.0, default=None)
    return f"{recovery.reason}; {last.condition} was the last to hold" if last else recovery.reason


def _capture_spans_recovery(case: Case) -> Check:
    measures = case.measures
    name, evidence = "capture_spans_recovery", ("coverage.parquet",)
    if measures.clock_started_us is None or measures.first_us is None or measures.last_us is None:
        return Check(name, Verdict.INCONCLUSIVE, None, None, "seconds", "no event started the clock", evidence)
    before = (measures.clock_started_us - measures.first_us) / 1_000_000
    after = (measures.last_us - measures.clock_started_us) / 1_000_000
    if before <= 0:
        reason = "nothing was captured before the clock started: there is no baseline"
        return Check(name, Verdict.INCONCLUSIVE, before, 0, "seconds", reason, evidence)
    if measures.recovery.outcome is Outcome.CENSORED:
        reason = f"the capture ends {seconds(after)} after the clock start, before the service had held again"
        verdict = Verdict.NOT_APPLICABLE if measures.recovery.verdict is Verdict.FAIL else Verdict.INCONCLUSIVE
        return Check(name, verdict, before, 0, "seconds", reason, evidence)
    if measures.recovery.outcome is Outcome.UNKNOWN:
        reason = f"nobody knows whether the service held when the capture ended, {seconds(after)} after the clock start"
        return Check(name, Verdict.INCONCLUSIVE, before, 0, "seconds", reason, evidence)
    reason = f"captured from {seconds(before)} before to {seconds(after)} after the clock start"
    return Check(name, Verdict.PASS, before, 0, "seconds", reason, evidence)


def _clocks_agree(case: Case) -> Check:
    """A clock that is further off than the objective has room decides nothing."""
    recovery, offset = case.measures.recovery, case.measures.clock_offset_seconds
    name, evidence = "clocks_agree", ("coverage.parquet",)
    if offset is None:
        return reported(name, None, "seconds", "no clock offset is on record", evidence)
    room = _room(recovery.rta_seconds_low, recovery.rta_seconds_high, case.drill.objectives.rto_seconds)
    if room is None or recovery.verdict is Verdict.INCONCLUSIVE:
        return reported(name, offset, "seconds", f"clocks are at most {seconds(offset)} apart", evidence)
    if offset > room:
        near = f"the recovery time is within {seconds(room)} of the objective"
        reason = f"clocks are up to {seconds(offset)} apart, and {near}"
        return Check(name, Verdict.INCONCLUSIVE, offset, room, "seconds", reason, evidence)
    reason = f"clocks are at most {seconds(offset)} apart, the objective has {seconds(room)} of room"
    return Check(name, Verdict.PASS, offset, room, "seconds", reason, evidence)


def _room(low: float | None, high: float | None, rto_seconds: float) -> float | None:
    if high is not None and high <= rto_seconds:
        return rto_seconds - high
    return low - rto_seconds if low is not None and low >= rto_seconds else None


def _relapses(case: Case) -> Check:
    relapses = case.measures.recovery.relapses
    reason = (
        f"the service broke {counted(relapses, 'more time')} after it had held" if relapses else "it held once restored"
    )
    if case.measures.recovery.outcome is not Outcome.RESTORED:
        reason = "not restored, so nothing could break again"
    return reported("relapses", relapses, "relapses", reason, ("recovery.parquet",))


def _step_on_time(step: dict[str, Any]) -> Check:
    name, evidence = f"runbook_step:{step['step']}", ("timeline.parquet",)
    late, tolerance = step["late_seconds"], step["tolerance_seconds"]
    if step["planned_us"] is None:
        return reported(
            name, None, "seconds late", "the definition gives no minute, or no event started the clock", evidence
        )
    if step["occurred_us"] is None:
        reason = f'no event of step "{step["step"]}"{_or_kind(step)} was recorded'
        return Check(name, Verdict.INCONCLUSIVE, None, tolerance, "seconds late", reason, evidence)
    verdict = Verdict.PASS if late <= tolerance else Verdict.FAIL
    reason = f"{seconds(late)} after its planned time" if late > 0 else f"{seconds(-late)} before its planned time"
    return Check(name, verdict, late, tolerance, "seconds late", reason, evidence)


def _or_kind(step: dict[str, Any]) -> str:
    return f' or kind "{step["event"]}"' if step["event"] else ""
