"""Take every measure of one drill from an engine on which the query chain has run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.drill.conditions import names_of
from rtoanalytics.measures.coverage import TableCoverage, table_coverage
from rtoanalytics.measures.ledger import check_balance, ledger_totals
from rtoanalytics.measures.phases import Phase, phases
from rtoanalytics.measures.recovery_point import RecoveryPoint, recovery_point
from rtoanalytics.measures.recovery_time import RecoveryTime, recovery_time, unknown_recovery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics.drill import Drill
    from rtoanalytics.engines.engine import Engine

Row = dict[str, Any]


@dataclass(frozen=True)
class Measures:
    """The measures of one drill. Rows are those of the relation of the same name, in its order."""

    first_us: int | None
    """First live evidence, microseconds since the epoch."""
    last_us: int | None
    """Last live evidence, microseconds since the epoch."""
    clock_started_us: int | None
    ledger: list[Row]
    totals: dict[str, int]
    finding_counts: dict[str, int]
    """Findings by kind."""
    recovery: RecoveryTime
    conditions: tuple[RecoveryTime, ...]
    phases: tuple[Phase, ...]
    recovery_point: RecoveryPoint
    backlog: list[Row]
    lag_quality: dict[str, Row]
    unscanned: int
    coverage: list[Row]
    tables: Mapping[str, TableCoverage]
    clock_offset_seconds: float | None
    runbook: list[Row]
    produce_outcomes: list[Row]
    silences: list[Row]
    clients: list[Row]
    partitions: list[Row]
    scope: list[Row]
    replication: list[Row]
    simulated_clusters: tuple[str, ...]

    def coverage_of(self, table_name: str) -> TableCoverage:
        """How a table was captured; of one without rows and heartbeats, that it was not."""
        return self.tables.get(table_name, TableCoverage(table_name))


def take_measures(engine: Engine) -> Measures:
    """Every measure. Raises DefectError when the ledger does not balance."""
    drill = engine.bundle.drill
    ledger = engine.rows("ledger")
    check_balance(ledger)
    window = next(iter(engine.rows("capture_window")), {"first_us": None, "last_us": None})
    clock_started_us = engine.rows("clock")[0]["clock_started_us"]
    coverage = engine.rows("coverage")
    (clock_errors,) = engine.rows("clock_errors")
    recovery, conditions = _recovery(engine, drill, clock_started_us, clock_errors["clock_error_seconds"] or 0.0)
    return Measures(
        first_us=window["first_us"],
        last_us=window["last_us"],
        clock_started_us=clock_started_us,
        ledger=ledger,
        totals=ledger_totals(ledger),
        finding_counts=_finding_counts(engine),
        recovery=recovery,
        conditions=conditions,
        phases=phases(engine.rows("phases")),
        recovery_point=recovery_point(engine.rows("recovery_point")[0], rpo_records=drill.objectives.rpo_records),
        backlog=engine.rows("backlog"),
        lag_quality={row["group_id"]: row for row in engine.rows("lag_quality")},
        unscanned=sum(row["records"] for row in engine.rows("unscanned_records")),
        coverage=coverage,
        tables=table_coverage(coverage),
        clock_offset_seconds=clock_errors["clock_offset_seconds"],
        runbook=engine.rows("runbook_times"),
        produce_outcomes=engine.rows("produce_outcomes"),
        silences=engine.rows("silences"),
        clients=engine.rows("client_summary"),
        partitions=engine.rows("partition_use"),
        scope=engine.rows("scope_seen"),
        replication=engine.rows("replication_health"),
        simulated_clusters=tuple(row["cluster"] for row in engine.rows("clusters_seen") if row["is_simulated"]),
    )


def _recovery(
    engine: Engine, drill: Drill, clock_started_us: int | None, clock_error_seconds: float
) -> tuple[RecoveryTime, tuple[RecoveryTime, ...]]:
    rows = {row["condition"]: row for row in engine.rows("recovery_times")}
    names = names_of(drill.objectives.restored_when.conditions)

    def of(name: str) -> RecoveryTime:
        if name in rows:
            return recovery_time(
                rows[name], rto_seconds=drill.objectives.rto_seconds, clock_error_seconds=clock_error_seconds
            )
        return unknown_recovery(name, _why_unknown(drill, names, clock_started_us), clock_started_us)

    return of("all"), tuple(of(name) for name in names)


def _why_unknown(drill: Drill, names: tuple[str, ...], clock_started_us: int | None) -> str:
    if not names:
        return "the definition does not say when the service counts as restored (objectives.restored_when.conditions)"
    if clock_started_us is None:
        return f'no event of kind "{drill.objectives.clock_starts}" started the clock (rto mark records one)'
    return "nothing was captured after the clock started"


def _finding_counts(engine: Engine) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in engine.rows("finding_counts"):
        counts[row["kind"]] = row["findings"]
    return counts
