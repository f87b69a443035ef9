"""scorecard.json: the whole answer in one document, the same bytes for the same bundle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from rtoanalytics.measures.ledger import COUNTS, KEYS
from rtoanalytics.scorecard.rows import judge_rows
from rtoanalytics.verdict import overall

if TYPE_CHECKING:
    from rtoanalytics.measures.recovery_time import RecoveryTime
    from rtoanalytics.scorecard.checks import Case, Check, Row

SCHEMA_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BACKLOG = (
    "group_id",
    "peak_lag_records",
    "peak_at",
    "drained_at",
    "drain_seconds",
    "net_drain_rate",
    "backlog_area_record_seconds",
    "final_lag_records",
    "threshold_records",
    "ingress_records_per_second",
    "egress_records_per_second",
    "stalls",
    "longest_stall_seconds",
    "last_topic",
    "last_partition",
    "projected_seconds",
)


def scorecard_document(case: Case) -> dict[str, Any]:
    """The document. Keys are always there; what is not known is null; instants are ISO 8601 with Z."""
    rows = judge_rows(case)
    return {
        "schema_version": SCHEMA_VERSION,
        "drill": _drill(case),
        "verdict": overall(row.verdict for row in rows).value,
        "rows": [_row(row) for row in rows],
        "recovery": _recovery(case),
        "recovery_point": _recovery_point(case),
        "ledger": [{key: row[key] for key in (*KEYS, *COUNTS)} for row in case.measures.ledger],
        "totals": case.measures.totals,
        "backlog": [_backlog(row) for row in case.measures.backlog],
        "coverage": [_coverage(row) for row in case.measures.coverage],
    }


def instant(microseconds: int | None) -> str | None:
    """Microseconds since the epoch as ISO 8601 with Z; the fraction only where there is one.

    >>> instant(1_500_000), instant(2_000_000), instant(None)
    ('1970-01-01T00:00:01.500000Z', '1970-01-01T00:00:02Z', None)
    """
    if microseconds is None:
        return None
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")


def number(value: float | None) -> float | None:
    """A number as JSON can carry it: six decimals, and null for what is not finite."""
    if value is None or isinstance(value, int):
        return value
    return round(value, 6) if isfinite(value) else None


def _drill(case: Case) -> dict[str, Any]:
    drill = case.drill
    platform = drill.platform
    return {
        "id": drill.id,
        "title": drill.title,
        "flow": drill.flow.name,
        "platform": {"name": platform.name if platform else None, "pattern": platform.pattern if platform else None},
        "inject": drill.inject.kind if drill.inject else None,
        "clock_starts": drill.objectives.clock_starts,
        "started_at": instant(case.measures.first_us),
        "ended_at": instant(case.measures.last_us),
        "simulated_clusters": list(case.measures.simulated_clusters),
        "seal": case.seal,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "area": row.area,
        "verdict": row.verdict.value,
        "headline": row.headline,
        "checks": [_check(check) for check in row.checks],
        "next_action": row.next_action,
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "measured": number(check.measured),
        "limit": number(check.limit),
        "unit": check.unit,
        "reason": check.reason,
        "evidence": list(check.evidence),
    }


def _recovery(case: Case) -> dict[str, Any]:
    recovery = case.measures.recovery
    return {
        "clock_started_at": instant(recovery.clock_started_us),
        **_times(recovery),
        "rto_seconds": number(case.drill.objectives.rto_seconds),
        "relapses": recovery.relapses,
        "verdict": recovery.verdict.value,
        "reason": recovery.reason,
        "conditions": [
            {"name": time.condition, **_times(time), "relapses": time.relapses} for time in case.measures.conditions
        ],
        "phases": [
            {"name": phase.name, "at": instant(phase.ended_us), "seconds": number(phase.seconds)}
            for phase in case.measures.phases
        ],
    }


def _times(time: RecoveryTime) -> dict[str, Any]:
    return {
        "impact_at": instant(time.impact_us),
        "restored_at": instant(time.restored_us),
        "rta_seconds_low": number(time.rta_seconds_low),
        "rta_seconds_high": number(time.rta_seconds_high),
        "outcome": time.outcome.value,
    }


def _recovery_point(case: Case) -> dict[str, Any]:
    point = case.measures.recovery_point
    return {
        "rpo_records": point.rpo_records,
        "rpa_records": point.rpa_records,
        "rpa_seconds": number(point.rpa_seconds),
        "verdict": point.verdict.value,
        "reason": point.reason,
    }


def _backlog(row: dict[str, Any]) -> dict[str, Any]:
    known = {**row, "peak_at": instant(row["peak_us"]), "drained_at": instant(row["drained_us"])}
    return {key: number(known[key]) if isinstance(known[key], float) else known[key] for key in _BACKLOG}


def _coverage(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "collector": row["collector"],
        "target": row["target"],
        "table": row["table_name"],
        "complete": row["is_complete"],
        "holes": row["holes"],
        "first_at": instant(row["first_row_us"]),
        "last_at": instant(row["last_row_us"]),
        "heartbeats": row["heartbeats"],
    }
