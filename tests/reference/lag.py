"""M7 Lag: per group and partition at each step, and the group's total."""

from dataclasses import dataclass

from .drill_facts import Drill, groups_of, rows_on_topics
from .evidence import Row, Tables
from .records_and_fates import acked_rows, commits_of
from .watermarks import Partition, partition_of, watermark_as_of, watermark_at_or_after


@dataclass(frozen=True)
class PartitionLag:
    """The lag of one group on one partition at one step, with the two rows it was read from."""

    group_id: str
    place: Partition
    step_us: int
    log_end_offset: int | None
    lag_records: int | None
    lag_records_high: int | None
    lag_seconds: float | None
    commit: Row | None
    watermark: Row | None


@dataclass(frozen=True)
class GroupEvidence:
    """What is needed to tell one group's lag, restricted to its topics."""

    group_id: str
    commits: list[Row]  # in order
    acks: list[Row]
    watermarks: list[Row]
    log_records: list[Row]
    has_watermarks: bool  # of whatever topic: is there such a table at all


def lag_of_group(drill: Drill, tables: Tables, group_id: str, steps_us: list[int]) -> list[PartitionLag]:
    """Return a group's lag on each partition of its cluster as of each step."""
    topics = groups_of(drill)[group_id]
    evidence = GroupEvidence(
        group_id=group_id,
        commits=commits_of(tables, group_id),
        acks=acked_rows(drill, tables, topics),
        watermarks=rows_on_topics(drill, tables["watermarks"], topics),
        log_records=rows_on_topics(drill, tables["log_records"], topics),
        has_watermarks=bool(tables["watermarks"]),
    )
    commits = rows_on_topics(drill, evidence.commits, topics)
    places = sorted({partition_of(row) for row in evidence.watermarks + commits + evidence.acks})
    by_place = {place: evidence_of_partition(evidence, place) for place in places}
    return [
        partition_lag(by_place[place], place, step_us)
        for step_us in steps_us
        for cluster in clusters_as_of(evidence, step_us)
        for place in places
        if place[0] == cluster
    ]


def evidence_of_partition(evidence: GroupEvidence, place: Partition) -> GroupEvidence:
    """Keep what is about one partition."""
    return GroupEvidence(
        group_id=evidence.group_id,
        commits=[row for row in evidence.commits if partition_of(row) == place],
        acks=[row for row in evidence.acks if partition_of(row) == place],
        watermarks=[row for row in evidence.watermarks if partition_of(row) == place],
        log_records=[row for row in evidence.log_records if partition_of(row) == place],
        has_watermarks=evidence.has_watermarks,
    )


def clusters_as_of(evidence: GroupEvidence, step_us: int) -> list[str]:
    """Return the cluster of the group's last commit; before its first, that of the first; with none, all that acked."""
    if not evidence.commits:
        return sorted({ack["cluster"] for ack in evidence.acks})
    until = [commit for commit in evidence.commits if commit["committed_at"] <= step_us]
    return [until[-1]["cluster"] if until else evidence.commits[0]["cluster"]]


def partition_lag(evidence: GroupEvidence, place: Partition, step_us: int) -> PartitionLag:
    """Return the lag on one partition at one step."""
    until = [commit for commit in evidence.commits if commit["committed_at"] <= step_us]
    commit = until[-1] if until else None
    committed_offset = commit["committed_offset"] if commit is not None else None
    watermark = watermark_as_of(evidence.watermarks, step_us)
    next_watermark = watermark_at_or_after(evidence.watermarks, step_us)
    log_end_offset = log_end_as_of(evidence, watermark, step_us)
    lag_records = distance(log_end_offset, committed_offset)
    return PartitionLag(
        group_id=evidence.group_id,
        place=place,
        step_us=step_us,
        log_end_offset=log_end_offset,
        lag_records=lag_records,
        lag_records_high=distance(
            next_watermark["log_end_offset"] if next_watermark is not None else None, committed_offset
        ),
        lag_seconds=lag_seconds(evidence, lag_records, committed_offset, step_us),
        commit=commit,
        watermark=watermark,
    )


def log_end_as_of(evidence: GroupEvidence, watermark: Row | None, step_us: int) -> int | None:
    """Return the log end as of a step: of the watermark or, in a drill without any, above the highest acked offset."""
    if watermark is not None:
        end: int = watermark["log_end_offset"]
        return end
    if evidence.has_watermarks:
        return None
    acked = [ack["record_offset"] for ack in evidence.acks if ack["acked_at"] <= step_us]
    return max(acked) + 1 if acked else None


def distance(log_end_offset: int | None, committed_offset: int | None) -> int | None:
    """Return how far a committed offset is below a log end, never below 0."""
    if log_end_offset is None or committed_offset is None:
        return None
    return max(0, log_end_offset - committed_offset)


def lag_seconds(
    evidence: GroupEvidence, lag_records: int | None, committed_offset: int | None, step_us: int
) -> float | None:
    """Return the age of the first record at or above the committed offset, null where that record was not captured."""
    if lag_records is None or committed_offset is None:
        return None
    if lag_records == 0:
        return 0.0
    captured = captured_instants(evidence)
    at_or_above = [offset for offset in captured if offset >= committed_offset]
    if not at_or_above or min(captured) > committed_offset:
        return None
    return max(0, step_us - captured[min(at_or_above)]) / 1_000_000


def captured_instants(evidence: GroupEvidence) -> dict[int, int]:
    """Map each captured offset to when its record came to be: first acked or, where no ack was captured, appended."""
    instants: dict[int, int] = {}
    for row in evidence.acks:
        offset = row["record_offset"]
        instants[offset] = min(row["acked_at"], instants.get(offset, row["acked_at"]))
    acked = set(instants)
    for row in evidence.log_records:
        offset = row["record_offset"]
        if offset not in acked:
            instants[offset] = min(row["appended_at"], instants.get(offset, row["appended_at"]))
    return instants


def lag_row(lag: PartitionLag) -> Row:
    """Return one row of the answer `lag`."""
    return {
        "group_id": lag.group_id,
        "cluster": lag.place[0],
        "topic": lag.place[1],
        "partition": lag.place[2],
        "step_us": lag.step_us,
        "log_end_offset": lag.log_end_offset,
        "committed_offset": lag.commit["committed_offset"] if lag.commit is not None else None,
        "lag_records": lag.lag_records,
        "lag_records_high": lag.lag_records_high,
        "lag_seconds": lag.lag_seconds,
    }


def lag_totals(group_id: str, lags: list[PartitionLag]) -> list[Row]:
    """Return the totals of a group over its partitions, per step."""
    parts: dict[int, list[PartitionLag]] = {}
    for lag in lags:
        parts.setdefault(lag.step_us, []).append(lag)
    return [total_row(group_id, step_us, parts[step_us]) for step_us in sorted(parts)]


def total_row(group_id: str, step_us: int, lags: list[PartitionLag]) -> Row:
    """Return one total: what is known of the lag, and bounds only where every partition has one."""
    clusters = {lag.place[0] for lag in lags}
    known = [lag.lag_records for lag in lags if lag.lag_records is not None]
    highs = [lag.lag_records_high for lag in lags if lag.lag_records_high is not None]
    seconds = [lag.lag_seconds for lag in lags if lag.lag_seconds is not None]
    return {
        "group_id": group_id,
        "cluster": clusters.pop() if len(clusters) == 1 else None,
        "step_us": step_us,
        "lag_records": sum(known) if known else None,
        "lag_records_high": sum(highs) if len(highs) == len(lags) else None,
        "lag_seconds": max(seconds) if len(seconds) == len(lags) else None,
        "partitions": len(lags),
        "partitions_unknown": len(lags) - len(known),
    }
