"""One check: a measured value, its limit, the verdict, why, and the evidence behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from rtoanalytics.verdict import Verdict, at_most, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rtoanalytics.drill import Drill
    from rtoanalytics.measures import Measures

Number = int | float | None


@dataclass(frozen=True)
class Case:
    """What every check looks at: one drill, its measures, and the state of its files."""

    drill: Drill
    measures: Measures
    attachments: frozenset[str]
    """Files under attachments/, relative to the bundle."""
    seal: str
    """unsealed, sealed or altered."""
    altered: Mapping[str, str]
    """Files that differ from the manifest, each with what differs."""


@dataclass(frozen=True)
class Check:
    """The answer to one question about one drill."""

    name: str
    verdict: Verdict
    measured: Number
    limit: Number
    unit: str
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row of the scorecard: as bad as the worst of its checks."""

    area: str
    verdict: Verdict
    headline: str
    checks: tuple[Check, ...]
    next_action: str | None


def reported(name: str, measured: Number, unit: str, reason: str, evidence: Iterable[str] = ()) -> Check:
    """A figure that nobody set a limit for: reported, judged not_applicable."""
    return Check(name, Verdict.NOT_APPLICABLE, measured, None, unit, reason, tuple(evidence))


def limited(
    name: str,
    low: float | None,
    limit: float | None,
    unit: str,
    what: str,
    *,
    high: float | None = None,
    doubts: Iterable[str | None] = (),
    evidence: Iterable[str] = (),
) -> Check:
    """A quantity in [low, high] (both inclusive) against an inclusive upper limit.

    `high` None means that it is known exactly. Any doubt turns a pass into inconclusive; it never excuses a fail.
    `low` None means that nothing is known.
    """
    found = tuple(evidence)
    reasons = [doubt for doubt in doubts if doubt]
    if limit is None:
        return reported(name, low, unit, f"{what}; no limit was set", found)
    if low is None:
        return Check(name, Verdict.INCONCLUSIVE, None, limit, unit, "; ".join(reasons) or f"{what}: not known", found)
    verdict = at_most(low, low if high is None else high, limit)
    if verdict is Verdict.PASS and reasons:
        verdict = Verdict.INCONCLUSIVE
    if high is not None and isfinite(high) and high > low:
        reasons.insert(0, f"up to {high:,g} {unit} cannot be excluded")
    said = [what, *reasons] if verdict is Verdict.INCONCLUSIVE else [what]
    return Check(name, verdict, low, limit, unit, "; ".join(said), found)


def not_on_simulated(check: Check, case: Case) -> Check:
    """The same figure, not judged, if a cluster of the drill only imitates Kafka."""
    if not case.measures.simulated_clusters:
        return check
    return replace(check, verdict=Verdict.NOT_APPLICABLE, reason=f"simulated cluster, not judged: {check.reason}")


def row_verdict(checks: Iterable[Check]) -> Verdict:
    """The worst of the checks."""
    return worst(check.verdict for check in checks)


def first_of(checks: Iterable[Check], verdict: Verdict) -> Check | None:
    """The first check with a verdict."""
    return next((check for check in checks if check.verdict is verdict), None)
