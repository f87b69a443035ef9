"""Capacity: how large did the backlog get, how fast did it drain, and what is left?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.measures.coverage import TableCoverage
from rtoanalytics.scorecard.checks import Case, Check, limited, not_on_simulated, reported
from rtoanalytics.wording import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Doubt = Callable[[TableCoverage], str | None]

_BURN_DOWN = ("burn_down.parquet", "lag.parquet")


def capacity(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    yield _final_lag(case)
    yield _peak_lag(case)
    yield _drain(case)
    yield from _reported(case)
    yield from _replication(case)


def _worst(case: Case, key: str) -> dict[str, Any] | None:
    rows = [row for row in case.measures.backlog if row[key] is not None]
    return max(rows, key=lambda row: (row[key], row["group_id"]), default=None)


def _doubts(case: Case, key: str, doubt_of: Doubt = TableCoverage.doubt) -> list[str | None]:
    """Why a lag may be larger than measured."""
    measures = case.measures
    doubts = [doubt_of(measures.coverage_of("commits"))]
    if measures.coverage_of("watermarks").rows:
        doubts.append(doubt_of(measures.coverage_of("watermarks")))
    else:
        doubts.append("no log ends were captured: a lag measured from acknowledgements alone is a lower bound")
    unknown = [row["group_id"] for row in measures.backlog if row[key] is None]
    if unknown:
        doubts.append(f"the lag of {', '.join(unknown)} is not known")
    return doubts


def _final_lag(case: Case) -> Check:
    limit = case.drill.criteria.max_final_lag_records
    worst = _worst(case, "final_lag_records")
    doubts = _doubts(case, "final_lag_records", TableCoverage.doubt_at_end)
    doubts += [_stale(case, row) for row in case.measures.lag_quality.values()]
    what = f"{worst['group_id']} ended {counted(worst['final_lag_records'], 'record')} behind" if worst else "final lag"
    known = worst["final_lag_records"] if worst else None
    return limited("final_lag", known, limit, "records", what, doubts=doubts, evidence=_BURN_DOWN)


def _stale(case: Case, row: dict[str, Any]) -> str | None:
    for table, key in (("watermarks", "log_end_age_seconds"), ("commits", "commit_age_seconds")):
        limit = case.measures.coverage_of(table).stale_seconds
        if row[key] is not None and row[key] > limit:
            age = f"{seconds(row[key])} older than the end of the capture"
            return f"the last sample of {table} for {row['group_id']} is {age}"
    return None


def _peak_lag(case: Case) -> Check:
    limit = case.drill.criteria.max_peak_lag_records
    worst = _worst(case, "peak_lag_records")
    doubts = _doubts(case, "peak_lag_records")
    for row in case.measures.lag_quality.values():
        if row["unknown_steps"]:
            doubts.append(
                f"the lag of {row['group_id']} is not fully known at {row['unknown_steps']} of {row['steps']} steps"
            )
    what = f"{worst['group_id']} fell {counted(worst['peak_lag_records'], 'record')} behind" if worst else "peak lag"
    known = worst["peak_lag_records"] if worst else None
    return limited("peak_lag", known, limit, "records", what, doubts=doubts, evidence=_BURN_DOWN)


def _drain(case: Case) -> Check:
    limit = case.drill.criteria.max_drain_seconds
    name, unit = "drain_time", "seconds"
    doubts = _doubts(case, "peak_lag_records")
    behind = [row for row in case.measures.backlog if row["peak_us"] is not None and row["drained_us"] is None]
    if behind and case.measures.last_us is not None:
        row = max(behind, key=lambda row: (-row["peak_us"], row["group_id"]))
        since = (case.measures.last_us - row["peak_us"]) / 1_000_000
        what = f"{row['group_id']} had not drained {seconds(since)} after its peak" + _projected(row)
        doubts.append("the backlog had not drained when the capture ended")
        return limited(name, since, limit, unit, what, high=float("inf"), doubts=doubts, evidence=_BURN_DOWN)
    worst = _worst(case, "drain_seconds")
    what = f"{worst['group_id']} drained {seconds(worst['drain_seconds'])} after its peak" if worst else "drain time"
    known = worst["drain_seconds"] if worst else None
    return limited(name, known, limit, unit, what, doubts=doubts, evidence=_BURN_DOWN)


def _projected(row: dict[str, Any]) -> str:
    seconds = row["projected_seconds"]
    return "" if seconds is None else f"; at the rate of the last 30 s it needs {seconds:.0f} s more"


def _reported(case: Case) -> Iterator[Check]:
    area = _worst(case, "backlog_area_record_seconds")
    if area:
        value = area["backlog_area_record_seconds"]
        yield reported(
            "backlog_area", value, "record seconds", f"{area['group_id']} owed {value:,g} record seconds", _BURN_DOWN
        )
    for row in case.measures.backlog:
        if row["net_drain_rate"] is not None and row["ingress_records_per_second"]:
            headroom = row["net_drain_rate"] / row["ingress_records_per_second"]
            reason = (
                f"{row['group_id']} drained {row['net_drain_rate']:.0f} records/s"
                f" beside {row['ingress_records_per_second']:.0f} records/s arriving"
            )
            yield reported(f"headroom:{row['group_id']}", headroom, "drain rate ÷ ingress", reason, _BURN_DOWN)
        if row["stalls"]:
            reason = f"{row['group_id']} made no progress for {seconds(row['longest_stall_seconds'])}"
            yield reported(f"stalls:{row['group_id']}", row["stalls"], "stalls", reason, _BURN_DOWN)


def _replication(case: Case) -> Iterator[Check]:
    for row in case.measures.replication:
        worst = counted(row["worst_partitions"], "partition")
        reason = f"{row['cluster']} was under-replicated for {seconds(row['degraded_seconds'])}, up to {worst}"
        if row["unknown_seconds"]:
            reason += f", and for {seconds(row['unknown_seconds'])} nobody knows"
        check = reported(
            f"under_replicated:{row['cluster']}", row["degraded_seconds"], "seconds", reason, ("recovery.parquet",)
        )
        yield not_on_simulated(check, case)
