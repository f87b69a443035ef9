"""M10 Recovery point: acked records that did not survive."""

from typing import Any

from .drill_facts import Downstream, Drill, flow_topics_of, simulated_clusters
from .evidence import Tables
from .records_and_fates import Analysis, Coordinates, Record, analyse

Key = tuple[Coordinates, str | None]


def recovery_point(drill: Drill, tables: Tables, analyses: list[Analysis], clock_us: int | None) -> dict[str, Any]:
    """Return the answer `recovery_point`. A flow without downstreams is judged on its logs alone."""
    if not analyses:
        topics = flow_topics_of(drill)
        analyses = [analyse(drill, tables, Downstream("", None, "offset", "exactly_one", topics))]
    pairs = [(analysis, record) for analysis in analyses for record in analysis.records]
    missing: dict[Key, int] = {}
    for analysis, record in pairs:
        if is_missing(analysis, record):
            key = key_of(record)
            missing[key] = min(record.first_acked_us, missing.get(key, record.first_acked_us))
    is_complete = bool(pairs) and bool(tables["log_scans"])
    is_complete = is_complete and all(
        key_of(record) in missing or is_judged(analysis, record) for analysis, record in pairs
    )
    clusters = {ack["cluster"] for analysis in analyses for ack in analysis.acks}
    rpo_records = drill["objectives"].get("rpo_records")
    if clusters & simulated_clusters(tables):
        verdict = "not_applicable"
    else:
        verdict = verdict_of(len(missing), rpo_records, is_complete=is_complete)
    return {
        "rpo_records": rpo_records,
        "rpa_records": len(missing),
        "rpa_seconds": rpa_seconds(list(missing.values()), clock_us),
        "verdict": verdict,
    }


def key_of(record: Record) -> Key:
    """Return what makes a record the same one in every downstream."""
    return ((record.cluster, record.topic, record.partition, record.record_offset), record.record_id)


def is_missing(analysis: Analysis, record: Record) -> bool:
    """Tell whether a record counts against the recovery point: gone from its own log or, on failover, lost."""
    is_at_home = analysis.home is None or analysis.home == record.cluster
    return record.fate == "lost" or (record.is_log_missing and is_at_home)


def is_judged(analysis: Analysis, record: Record) -> bool:
    """Tell whether a record that is not missing is known to be there, by its own log or, on failover, by its fate."""
    if analysis.home is None or analysis.home == record.cluster:
        return record.is_log_judged
    return record.fate != "unresolved"


def rpa_seconds(first_acked_us: list[int], clock_us: int | None) -> float | None:
    """Return how long before the clock start the earliest missing record was acked."""
    if not first_acked_us:
        return 0
    return None if clock_us is None else max(0, clock_us - min(first_acked_us)) / 1_000_000


def verdict_of(rpa_records: int, rpo_records: int | None, *, is_complete: bool) -> str:
    """Judge the missing records against the objective; pass needs every record to be judged."""
    if rpo_records is None:
        return "not_applicable"
    if rpa_records > rpo_records:
        return "fail"
    return "pass" if is_complete else "inconclusive"
