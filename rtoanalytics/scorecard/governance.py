"""Governance: is what had to be reviewed there, sealed, and is the evidence itself complete?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.bundle.manifest import ADDED
from rtoanalytics.drill.conditions import (
    AppliedCondition,
    ConnectorsCondition,
    LagCondition,
    ProduceErrorsCondition,
    UnderReplicatedCondition,
)
from rtoanalytics.scorecard.checks import Case, Check, reported
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.drill.definition import GovernanceItem

_TABLES_OF = {
    LagCondition: ("commits", "watermarks"),
    ProduceErrorsCondition: ("acks",),
    AppliedCondition: ("applied",),
    UnderReplicatedCondition: ("partition_states",),
    ConnectorsCondition: ("connector_states",),
}


def governance(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    yield _coverage(case)
    yield _seal(case)
    for item in case.drill.governance:
        yield _item(case, item)


def needed_tables(case: Case) -> tuple[str, ...]:
    """Tables that the measures and the conditions of this drill stand on."""
    needed = ["acks", "commits", "applied"]
    for condition in case.drill.objectives.restored_when.conditions:
        needed += _TABLES_OF.get(type(condition), ())
    return tuple(dict.fromkeys(needed))


def _coverage(case: Case) -> Check:
    gaps = []
    for name in needed_tables(case):
        table = case.measures.coverage_of(name)
        if not table.was_captured:
            gaps.append(f"no {name} were captured")
        elif not table.rows:
            gaps.append(f"{name} has no rows, although its collector was alive")
        elif not table.has_heartbeats:
            gaps.append(f"{name}: no heartbeats, so silence cannot be told from a hole")
        elif table.holes:
            gaps.append(str(table.doubt()))
        elif not table.is_complete:
            late = "until the service had held" if table.is_before_clock else "from before the clock start"
            gaps.append(f"{name}: not captured {late}")
    count = len(needed_tables(case))
    verdict = Verdict.INCONCLUSIVE if gaps else Verdict.PASS
    reason = "; ".join(gaps) if gaps else f"{counted(count, 'table')} captured without a hole"
    return Check("evidence_coverage", verdict, len(gaps), 0, "incomplete tables", reason, ("coverage.parquet",))


def _seal(case: Case) -> Check:
    name, unit = "evidence_sealed", "altered files"
    if case.seal == "altered" and all(_is_late(path, what) for path, what in case.altered.items()):
        reason = f"added after sealing: {', '.join(case.altered)}; seal again to vouch for them"
        return Check(name, Verdict.INCONCLUSIVE, len(case.altered), 0, unit, reason, ("manifest.json",))
    if case.seal == "altered":
        altered = "; ".join(f"{path} {what}" for path, what in case.altered.items())
        return Check(
            name, Verdict.FAIL, len(case.altered), 0, unit, f"changed after sealing: {altered}", ("manifest.json",)
        )
    if case.seal == "sealed":
        return Check(
            name, Verdict.PASS, 0, 0, unit, "every file is as it was when the bundle was sealed", ("manifest.json",)
        )
    return reported(name, None, unit, "the bundle is not sealed (rto seal): files could still change unnoticed")


def _item(case: Case, item: GovernanceItem) -> Check:
    name, unit = f"governance:{item.item}", "missing attachments"
    if item.evidence is None:
        reason = "the definition names no attachment that proves it"
        return _unproven(name, item, reason)
    if item.evidence not in case.attachments:
        return _unproven(name, item, f"{item.evidence} is not in the bundle")
    if item.evidence in case.altered and _is_late(item.evidence, case.altered[item.evidence]):
        return _unproven(name, item, f"{item.evidence} was added after sealing; seal again to vouch for it", measured=0)
    if item.evidence in case.altered:
        reason = f"{item.evidence} {case.altered[item.evidence]}"
        return Check(name, Verdict.FAIL, 1, 0, unit, reason, (item.evidence,))
    if case.seal == "unsealed":
        return _unproven(name, item, f"{item.evidence} is there but not sealed (rto seal)", measured=0)
    return Check(name, Verdict.PASS, 0, 0, unit, f"{item.evidence} is there and sealed", (item.evidence,))


def _is_late(path: str, what: str) -> bool:
    """An attachment that was added after sealing changed nothing that was sealed; evidence that was added did."""
    return what == ADDED and path.startswith("attachments/")


def _unproven(name: str, item: GovernanceItem, reason: str, measured: int = 1) -> Check:
    verdict = Verdict.INCONCLUSIVE if item.required else Verdict.NOT_APPLICABLE
    evidence = (item.evidence,) if item.evidence else ("drill.yaml",)
    return Check(name, verdict, measured, 0, "missing attachments", reason, evidence)
