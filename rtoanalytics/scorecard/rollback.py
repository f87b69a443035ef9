"""Rollback: who may turn back, how, was it rehearsed, and what cannot be undone?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.scorecard.checks import Case, Check, reported
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import seconds as as_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.drill.definition import Rollback

_DEFINITION = ("drill.yaml",)


def rollback(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    if case.drill.rollback is None:
        reason = "the definition says nothing about the way back"
        yield Check("rollback_defined", Verdict.INCONCLUSIVE, None, None, "", reason, _DEFINITION)
        return
    way_back = case.drill.rollback
    yield _said(
        "rollback_authority", way_back.authority, "may decide to turn back", "nobody is named who may turn back"
    )
    yield _procedure(case, way_back)
    yield _rehearsed(way_back)
    yield _irreversible(way_back)
    yield _sign_offs(way_back)
    yield _decision_latency(case)


def _said(name: str, value: str | None, meaning: str, lacking: str) -> Check:
    if value:
        return Check(name, Verdict.PASS, None, None, "", f"{value} {meaning}", _DEFINITION)
    return Check(name, Verdict.INCONCLUSIVE, None, None, "", lacking, _DEFINITION)


def _procedure(case: Case, way_back: Rollback) -> Check:
    name = "rollback_procedure"
    if way_back.procedure is None:
        return Check(name, Verdict.INCONCLUSIVE, None, None, "", "no procedure is named", _DEFINITION)
    if way_back.procedure not in case.attachments:
        reason = f"{way_back.procedure} is not in the bundle"
        return Check(name, Verdict.INCONCLUSIVE, None, None, "", reason, (way_back.procedure,))
    return Check(name, Verdict.PASS, None, None, "", f"{way_back.procedure} is in the bundle", (way_back.procedure,))


def _rehearsed(way_back: Rollback) -> Check:
    name = "rollback_rehearsed"
    if way_back.rehearsed is None:
        return Check(name, Verdict.INCONCLUSIVE, None, None, "", "the definition does not say", _DEFINITION)
    if way_back.rehearsed:
        return Check(name, Verdict.PASS, None, None, "", "the way back was rehearsed", _DEFINITION)
    return Check(name, Verdict.FAIL, None, None, "", "the way back was never rehearsed", _DEFINITION)


def _irreversible(way_back: Rollback) -> Check:
    name, unit = "irreversible_items", "items"
    if way_back.irreversible is None:
        reason = "the definition does not say what cannot be undone (an empty list says: nothing)"
        return Check(name, Verdict.INCONCLUSIVE, None, None, unit, reason, _DEFINITION)
    count = len(way_back.irreversible)
    manual = ", ".join(way_back.manual_reconciliation or ())
    reason = f"cannot be undone: {'; '.join(way_back.irreversible)}" if count else "nothing that cannot be undone"
    return reported(name, count, unit, reason + (f"; reconciled by hand: {manual}" if manual else ""), _DEFINITION)


def _sign_offs(way_back: Rollback) -> Check:
    name, unit = "rollback_sign_offs", "sign-offs"
    count = len(way_back.sign_offs)
    if not count:
        return Check(name, Verdict.INCONCLUSIVE, 0, None, unit, "nobody signed off", _DEFINITION)
    roles = ", ".join(f"{sign_off.role} ({sign_off.at:%Y-%m-%d})" for sign_off in way_back.sign_offs)
    return Check(name, Verdict.PASS, count, None, unit, f"signed off by {roles}", _DEFINITION)


def _decision_latency(case: Case) -> Check:
    """From the declaration (else the detection, else the injection) to the decision."""
    name, unit, evidence = "decision_latency", "seconds", ("timeline.parquet",)
    ended = {phase.name: phase.ended_us for phase in case.measures.phases}
    decided = ended.get("decide")
    since = next((kind for kind in ("declare", "detect", "inject") if ended.get(kind) is not None), None)
    start = ended.get(since) if since else None
    if decided is None or start is None:
        return reported(name, None, unit, "no event of kind decide, or nothing to count from, was recorded", evidence)
    latency = (decided - start) / 1_000_000
    return reported(name, latency, unit, f"decided {as_seconds(latency)} after {since}", evidence)
