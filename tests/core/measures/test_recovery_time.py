"""M9 as an interval: what is less well known is never judged better."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.measures.recovery_time import Outcome, RecoveryTime, recovery_time
from rtoanalytics.verdict import Verdict

SECONDS = st.integers(min_value=0, max_value=600)
ERRORS = st.floats(min_value=0, max_value=60)


@st.composite
def rows(draw: st.DrawFn, *, is_restored: bool | None = None) -> dict[str, Any]:
    """A row of the relation recovery_times of a service that broke, in whole seconds."""
    impact, last_bad, restored = sorted(draw(st.tuples(SECONDS, SECONDS, SECONDS)))
    has_held = draw(st.booleans()) if is_restored is None else is_restored
    return {
        "condition": "all",
        "clock_started_us": 0,
        "impact_us": impact * 1_000_000,
        "restored_us": (restored + 1) * 1_000_000 if has_held else None,
        "last_bad_us": last_bad * 1_000_000,
        "bad_steps": 1,
        "unknown_steps": 0,
        "unknown_before_restored": 0,
        "relapses": 0,
    }


def judged(row: dict[str, Any], rto_seconds: float, error: float = 0.0) -> RecoveryTime:
    """The recovery time of a row."""
    return recovery_time(row, rto_seconds=rto_seconds, clock_error_seconds=error)


@given(rows(), SECONDS, ERRORS)
def test_doubtful_clocks_never_decide(row: dict[str, Any], rto_seconds: int, error: float) -> None:
    """A larger clock error keeps the verdict or makes it inconclusive; it never turns pass into fail or back."""
    assert judged(row, rto_seconds, error).verdict in {judged(row, rto_seconds).verdict, Verdict.INCONCLUSIVE}


@given(rows(), SECONDS, SECONDS)
def test_a_looser_objective_is_no_harder_to_meet(row: dict[str, Any], rto_seconds: int, more: int) -> None:
    """What passes passes with a longer objective too, and what fails it fails the shorter one."""
    tight, loose = judged(row, rto_seconds).verdict, judged(row, rto_seconds + more).verdict
    assert tight is not Verdict.PASS or loose is Verdict.PASS
    assert loose is not Verdict.FAIL or tight is Verdict.FAIL


@given(rows(is_restored=False), SECONDS, ERRORS)
def test_a_service_not_restored_never_passes(row: dict[str, Any], rto_seconds: int, error: float) -> None:
    """A recovery that nobody saw has no upper end, and no objective is long enough for it."""
    time = judged(row, rto_seconds, error)
    assert (time.outcome, time.rta_seconds_high) == (Outcome.CENSORED, None)
    assert time.verdict is not Verdict.PASS


@given(rows(is_restored=True), SECONDS, ERRORS)
def test_the_interval_holds_the_recovery(row: dict[str, Any], rto_seconds: int, error: float) -> None:
    """The low end is never negative and lies below the high end; pass and fail are what the ends say."""
    time = judged(row, rto_seconds, error)
    assert time.rta_seconds_low is not None
    assert time.rta_seconds_high is not None
    assert 0 <= time.rta_seconds_low < time.rta_seconds_high
    assert (time.verdict is Verdict.PASS) == (time.rta_seconds_high <= rto_seconds)


@given(st.integers(min_value=0, max_value=50))
def test_no_impact_only_if_every_step_was_seen(unknown_steps: int) -> None:
    """Without a bad step the drill had no impact, unless one may hide in steps that nobody could judge."""
    row: dict[str, Any] = {
        "condition": "all",
        "clock_started_us": 0,
        "bad_steps": 0,
        "unknown_steps": unknown_steps,
        "impact_us": None,
        "restored_us": None,
        "last_bad_us": None,
    }
    time = judged(row, 0)
    expected = (Outcome.UNKNOWN, Verdict.INCONCLUSIVE) if unknown_steps else (Outcome.NO_IMPACT, Verdict.PASS)
    assert (time.outcome, time.verdict) == expected
