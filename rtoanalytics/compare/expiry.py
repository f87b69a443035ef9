"""How old the proof is that a flow can be recovered, and which faults it was drilled with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.compare.comparability import engine_of, in_order, instant_of
from rtoanalytics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rtoanalytics.compare.readings import Reading

CADENCE_DAYS = 92
"""A quarter at its longest: the age at which proof expires, unless another one is agreed."""


def expiry(drills: Iterable[Reading], as_of: date, cadence_days: int) -> list[dict[str, Any]]:
    """For each flow, its last passing drill and whether that is longer ago than `cadence_days` on the day `as_of`.

    Whole days between UTC dates; the last day of the cadence is inside it. Drills after `as_of` do not count, and a
    pass on a simulated cluster proves nothing about a real one: it is told, and does not count.
    """
    by_flow: dict[str, list[Reading]] = {}
    for drill in drills:
        by_flow.setdefault(drill.drill.flow.name, []).append(drill)
    return [_flow(flow, in_order(same), as_of, cadence_days) for flow, same in sorted(by_flow.items())]


def fault_coverage(drills: Iterable[Reading]) -> list[dict[str, Any]]:
    """Every flow with every kind of inject in the library: how often it was drilled, and how the last one ended."""
    dated = in_order(drills)
    flows = sorted({drill.drill.flow.name for drill in dated})
    injects = sorted({drill.inject for drill in dated}, key=lambda kind: (kind is None, kind or ""))
    cells: dict[tuple[str, str | None], list[Reading]] = {(flow, kind): [] for flow in flows for kind in injects}
    for drill in dated:
        cells[drill.drill.flow.name, drill.inject].append(drill)
    return [_cell(flow, kind, found) for (flow, kind), found in cells.items()]


def _flow(flow: str, drills: list[Reading], as_of: date, cadence_days: int) -> dict[str, Any]:
    until = [drill for drill in drills if instant_of(drill).date() <= as_of]
    passing = [drill for drill in until if drill.scorecard.verdict is Verdict.PASS]
    proof = next((drill for drill in reversed(passing) if not drill.is_simulated), None)
    age = (as_of - instant_of(proof).date()).days if proof else None
    return {
        "flow": flow,
        "owner": next((drill.drill.flow.owner for drill in reversed(until) if drill.drill.flow.owner), None),
        "is_expired": age is None or age > cadence_days,
        "last_passing_drill": proof.id if proof else None,
        "last_passing_at": iso(proof),
        "age_days": age,
        "last_drill": until[-1].id if until else None,
        "last_drill_at": iso(until[-1]) if until else None,
        "last_verdict": until[-1].scorecard.verdict.value if until else None,
        "reason": _reason(proof is not None, passing, age, cadence_days),
    }


def _reason(is_proven: bool, passing: list[Reading], age: int | None, cadence_days: int) -> str:  # noqa: FBT001
    if not is_proven:
        return "it has passed on a simulated cluster only" if passing else "it has never passed"
    if age is not None and age > cadence_days:
        return f"it last passed {age} days ago; {cadence_days} are agreed"
    return f"it passed {age} days ago"


def _cell(flow: str, kind: str | None, drills: list[Reading]) -> dict[str, Any]:
    last = drills[-1] if drills else None
    return {
        "flow": flow,
        "inject": kind,
        "drills": len(drills),
        "last_drill": last.id if last else None,
        "last_at": iso(last),
        "last_verdict": last.scorecard.verdict.value if last else None,
        "engine": engine_of(last) if last else None,
    }


def iso(drill: Reading | None) -> str | None:
    """When a drill happened, as scorecards write instants."""
    instant = drill.occurred_at if drill else None
    return instant.isoformat().replace("+00:00", "Z") if instant else None
