"""M3 Ledger, M4 produced_twice and M5 reordered."""

from .drill_facts import Drill, rows_on_topics
from .evidence import Row, Tables, nulls_lowest
from .records_and_fates import Analysis, Record

Key = tuple[str | None, str | None, int | None]  # cluster, topic, partition
NOWHERE: Key = (None, None, None)
FATES = ["once", "duplicated", "lost", "skipped", "pending", "filtered", "unresolved"]


def ledger(drill: Drill, tables: Tables, analyses: list[Analysis]) -> list[Row]:
    """Return one row per (downstream, cluster, topic, partition)."""
    return [row for analysis in analyses for row in ledger_of(drill, tables, analysis)]


def ledger_of(drill: Drill, tables: Tables, analysis: Analysis) -> list[Row]:
    """Return the ledger rows of one downstream."""
    twice = produced_twice(drill, tables, analysis)
    keys: set[Key] = {(record.cluster, record.topic, record.partition) for record in analysis.records}
    keys |= {place[:3] for _, place in analysis.strays if place is not None}
    keys |= set(twice)
    if any(place is None for _, place in analysis.strays):
        keys.add(NOWHERE)
    ordered = sorted(keys, key=lambda key: [nulls_lowest(part) for part in key])
    return [ledger_row(analysis, key, len(twice.get(key, []))) for key in ordered]


def ledger_row(analysis: Analysis, key: Key, twice: int) -> Row:
    """Count one ledger row."""
    records = [record for record in analysis.records if (record.cluster, record.topic, record.partition) == key]
    fates = {fate: sum(record.fate == fate for record in records) for fate in FATES}
    owned = sum(len(record.applied) for record in records)
    distinct = sum(distinct_applied(record, analysis.downstream.delivery) for record in records)
    unacked, before_capture = count_strays(analysis, key)
    return {
        "downstream": analysis.downstream.name,
        "group_id": analysis.downstream.group_id,
        "cluster": key[0],
        "topic": key[1],
        "partition": key[2],
        "acked": len(records),
        **fates,
        "applied": owned + unacked,
        "distinct_applied": distinct,
        "extra": owned - distinct,
        "unacked": unacked,
        "before_capture": before_capture,
        "log_missing": sum(record.is_log_missing for record in records),
        "overwritten": sum(record.is_overwritten for record in records),
        "reordered": count_reordered(records),
        "produced_twice": twice,
    }


def distinct_applied(record: Record, delivery: str) -> int:
    """Count a record once if it was applied; with `many`, once per ordinal."""
    if delivery == "many":
        return len({row["ordinal"] or 0 for row in record.applied})
    return 1 if record.applied else 0


def count_strays(analysis: Analysis, key: Key) -> tuple[int, int]:
    """Count the applied rows at a key that belong to no acked record: within the capture (unacked), and before it."""
    unacked = before_capture = 0
    for _, place in analysis.strays:
        if (NOWHERE if place is None else place[:3]) != key:
            continue
        if place is None or is_within_capture(analysis, place):
            unacked += 1
        else:
            before_capture += 1
    return unacked, before_capture


def is_within_capture(analysis: Analysis, place: tuple[str, str, int, int]) -> bool:
    """Tell whether a place is at or above the lowest acked offset of its partition."""
    acked = [
        ack["record_offset"] for ack in analysis.acks if (ack["cluster"], ack["topic"], ack["partition"]) == place[:3]
    ]
    return bool(acked) and place[3] >= min(acked)


def produced_twice(drill: Drill, tables: Tables, analysis: Analysis) -> dict[Key, list[str]]:
    """List the record_ids at several coordinates of a cluster's topic, at the partition of their lowest coordinate."""
    places: dict[tuple[str, str, str], set[tuple[int, int]]] = {}
    for row in analysis.acks + rows_on_topics(drill, tables["log_records"], analysis.downstream.topics):
        if row["record_id"] is not None:
            places.setdefault((row["cluster"], row["topic"], row["record_id"]), set()).add(
                (row["partition"], row["record_offset"])
            )
    twice: dict[Key, list[str]] = {}
    for (cluster, topic, record_id), coordinates in places.items():
        if len(coordinates) > 1:
            twice.setdefault((cluster, topic, min(coordinates)[0]), []).append(record_id)
    return twice


def count_reordered(records: list[Record]) -> int:
    """Count the records that were first applied after a record at a higher offset."""
    return sum(any(overtakes(other, record) for other in records) for record in records)


def overtakes(other: Record, record: Record) -> bool:
    """Tell whether `other`, at a higher offset, was first applied strictly before `record`."""
    if other.first_applied_us is None or record.first_applied_us is None:
        return False
    return other.record_offset > record.record_offset and other.first_applied_us < record.first_applied_us
