"""The whole comparison as one document: the same drills, in whatever order, give the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rtoanalytics.compare.carried import carried
from rtoanalytics.compare.changes import Changes, Compared, changes
from rtoanalytics.compare.comparability import (
    Rule,
    Series,
    differences,
    engine_of,
    in_order,
    instant_of,
    series_of,
    superseded,
)
from rtoanalytics.compare.expiry import CADENCE_DAYS, expiry, fault_coverage, iso
from rtoanalytics.compare.intervals import Outcome
from rtoanalytics.compare.measures import MEASURES, UNITS, Source, Value, values_of, whole
from rtoanalytics.compare.platforms import costs_document, difference_document, platforms
from rtoanalytics.compare.trend import Trend, trend

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from rtoanalytics.compare.drill_library import Library
    from rtoanalytics.compare.readings import Reading

SCHEMA_VERSION = 1
REGRESSED, NOT_REGRESSED, UNDECIDED = "regressed", "not_regressed", "undecided"


@dataclass(frozen=True)
class Question:
    """What is asked of a library."""

    as_of: date
    """The UTC day on which the age of proof is told."""
    cadence_days: int = CADENCE_DAYS
    rule: Rule = field(default_factory=Rule)


def compare_library(library: Library, question: Question) -> dict[str, Any]:
    """The comparison. Keys are always there; what is not known is null; instants are ISO 8601 with Z."""
    drills = in_order(library.drills)
    undated = sorted((drill for drill in library.drills if not drill.occurred_at), key=lambda drill: drill.id)
    compared = {drill.id: _compared(drill) for drill in library.drills}
    found = series_of(drills, question.rule)
    replaced = superseded(found, drills, question.rule)
    newest_of_flow = {drill.drill.flow.name: drill for drill in drills}
    series = [
        _series(number, one, compared, newest_of_flow[one.newest.drill.flow.name], replaced, question.rule)
        for number, one in enumerate(found, 1)
    ]
    number_of = {drill.id: number for number, one in enumerate(found, 1) for drill in one.drills}
    before = {later.id: earlier for one in found for earlier, later in zip(one.drills, one.drills[1:], strict=False)}
    outcome, reason = _outcome(series, drills[-1] if drills else None)
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": outcome,
        "reason": reason,
        "as_of": question.as_of.isoformat(),
        "cadence_days": question.cadence_days,
        "load_ratio": question.rule.load_ratio,
        "across": sorted(aspect.value for aspect in question.rule.across),
        "newest": drills[-1].id if drills else None,
        "drills": [
            _drill(drill, compared, number_of.get(drill.id), before.get(drill.id)) for drill in [*drills, *undated]
        ],
        "series": series,
        "expiry": expiry(drills, question.as_of, question.cadence_days),
        "faults": fault_coverage(drills),
        "carried": carried(drills),
        "platforms": platforms(drills, question.rule.load_ratio),
        "not_read": [{"bundle": item.bundle, "problem": item.problem} for item in library.unread],
    }


def document_bytes(document: dict[str, Any]) -> bytes:
    """The document for people and programs: indented, UTF-8, with a final newline."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _compared(drill: Reading) -> Compared:
    source = Source(drill.scorecard, drill.burn_down, drill.step_seconds)
    return Compared(drill.id, drill.scorecard, values_of(source))


def _drill(drill: Reading, compared: dict[str, Compared], series: int | None, before: Reading | None) -> dict[str, Any]:
    platform, own = drill.drill.platform, compared[drill.id]
    step = changes(compared[before.id], own) if before else None
    outcomes = {change.measure: change.outcome.value for change in step.measures} if step else {}
    return {
        "drill": drill.id,
        "title": drill.drill.title,
        "bundle": drill.bundle,
        "flow": drill.drill.flow.name,
        "owner": drill.drill.flow.owner,
        "platform": {"name": drill.platform, "pattern": platform.pattern if platform else None},
        "inject": drill.inject,
        "engine": engine_of(drill),
        "occurred_at": iso(drill),
        "verdict": drill.scorecard.verdict.value,
        "series": series,
        "previous": before.id if before else None,
        "load_records_per_second": drill.burn_down.load_records_per_second,
        "step_seconds": drill.step_seconds,
        "sampling_seconds": dict(drill.sampling_seconds),
        "definition_digest": drill.definition_digest,
        "rto_seconds": drill.scorecard.recovery.rto_seconds,
        "costs": costs_document(drill),
        "phases": [{"name": phase.name, "seconds": phase.seconds} for phase in drill.scorecard.recovery.phases],
        "measures": [{**_value(name, own.values[name]), "outcome": outcomes.get(name)} for name in own.values],
    }


def _value(name: str, value: Value) -> dict[str, Any]:
    interval = value.interval
    return {
        "measure": name,
        "unit": UNITS[name],
        "low": interval.low if interval.is_known else None,
        "high": interval.high,
        "limit": None if value.limit is None else whole(value.limit),
        "verdict": value.verdict,
        "reason": value.reason,
    }


def _series(
    number: int, series: Series, compared: dict[str, Compared], reference: Reading, replaced: set[str], rule: Rule
) -> dict[str, Any]:
    newest = series.newest
    own = compared[newest.id]
    earlier = series.drills[:-1]
    previous = changes(compared[earlier[-1].id], own) if earlier else None
    first = changes(compared[earlier[0].id], own) if earlier else None
    outcome, reason = _series_outcome(previous)
    return {
        "series": number,
        "flow": newest.drill.flow.name,
        "inject": newest.inject,
        "platform": newest.platform,
        "engine": engine_of(newest),
        "drills": [drill.id for drill in series.drills],
        "newest": newest.id,
        "is_superseded": newest.id in replaced,
        "outcome": outcome,
        "reason": reason,
        "differs_from": reference.id if reference is not newest else None,
        "differs": [difference_document(item) for item in differences(newest, reference, rule.load_ratio)]
        if reference is not newest
        else [],
        "since_previous": previous.document() if previous else None,
        "since_first": first.document() if first else None,
        "trends": [_trend(measure.name, series, compared) for measure in MEASURES],
    }


def _series_outcome(previous: Changes | None) -> tuple[str, str]:
    """Regressed if anything the definition asks about is worse; undecided if anything was known and is not now."""
    if previous is None:
        return UNDECIDED, "there is no earlier drill that it can be compared with"
    worse, lost = previous.named(Outcome.REGRESSION), previous.lost()
    if worse:
        return REGRESSED, f"worse than in {previous.before.id}: {', '.join(worse)}"
    if lost:
        return UNDECIDED, f"known in {previous.before.id} and not now: {', '.join(lost)}"
    better = previous.named(Outcome.IMPROVEMENT)
    return NOT_REGRESSED, (
        f"better than in {previous.before.id}: {', '.join(better)}" if better else f"no worse than {previous.before.id}"
    )


def _trend(name: str, series: Series, compared: dict[str, Compared]) -> dict[str, Any]:
    points = [(instant_of(drill), compared[drill.id].values[name].interval) for drill in series.drills]
    return {"measure": name, **_trend_document(trend(points))}


def _trend_document(found: Trend) -> dict[str, Any]:
    return {
        "direction": found.direction,
        "drills": found.drills,
        "known": found.known,
        "slope_per_quarter": found.slope,
        "slope_low": found.slope_low,
        "slope_high": found.slope_high,
        "confidence": found.confidence,
    }


def _outcome(series: list[dict[str, Any]], newest: Reading | None) -> tuple[str, str]:
    """Over the series that are still current and hold two drills or more, and that of the newest drill of all."""
    if newest is None:
        return UNDECIDED, "no drill with an instant was read"
    counted = [
        one for one in series if (not one["is_superseded"] and len(one["drills"]) > 1) or newest.id in one["drills"]
    ]
    for outcome in (REGRESSED, UNDECIDED):
        found = [one for one in counted if one["outcome"] == outcome]
        if found:
            return outcome, _listed(found)
    return NOT_REGRESSED, _listed(counted)


def _listed(series: Iterable[dict[str, Any]]) -> str:
    return "; ".join(f"{one['newest']}: {one['reason']}" for one in series)
