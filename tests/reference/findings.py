"""M6 Findings: runs of records that share a bad fate, and commits that moved in ways they should not."""

from itertools import pairwise

from .drill_facts import Drill, groups_of, rows_on_topics
from .evidence import Row, Tables
from .records_and_fates import Analysis, Record, commits_of
from .watermarks import Partition, partition_of, watermark_as_of, watermark_at_or_after

COLUMNS = [
    "kind",
    "downstream",
    "group_id",
    "cluster",
    "topic",
    "partition",
    "fate",
    "start_offset",
    "end_offset",
    "records",
    "first_acked_us",
    "last_acked_us",
    "first_applied_us",
    "last_applied_us",
    "max_applied",
    "occurred_us",
    "regained_us",
    "reset_to",
]
UNREPORTED_FATES = ["once", "filtered"]


def findings(drill: Drill, tables: Tables, analyses: list[Analysis]) -> list[Row]:
    """Return all findings of a drill."""
    rows = [row for analysis in analyses for row in record_runs(analysis)]
    for group_id, topics in groups_of(drill).items():
        commits = rows_on_topics(drill, commits_of(tables, group_id), topics)
        fed = [analysis for analysis in analyses if analysis.downstream.group_id == group_id]
        for place in sorted({partition_of(commit) for commit in commits}):
            here = [commit for commit in commits if partition_of(commit) == place]
            watermarks = [row for row in tables["watermarks"] if partition_of(row) == place]
            rows += commit_findings(here, watermarks, fed)
    return rows


def finding(kind: str, group_id: str | None, place: Partition, **values: object) -> Row:
    """Return one finding, with null in every column not given."""
    cluster, topic, partition = place
    given = {"kind": kind, "group_id": group_id, "cluster": cluster, "topic": topic, "partition": partition, **values}
    return {column: given.get(column) for column in COLUMNS}


def record_runs(analysis: Analysis) -> list[Row]:
    """Return the maximal runs of neighbouring records with one fate other than `once` and `filtered`."""
    runs: list[list[Record]] = []
    for record in analysis.records:  # in order of partition and offset
        previous = runs[-1][-1] if runs else None
        if previous is not None and place_of(previous) == place_of(record) and previous.fate == record.fate:
            runs[-1].append(record)
        else:
            runs.append([record])
    return [run_row(analysis, run) for run in runs if run[0].fate not in UNREPORTED_FATES]


def run_row(analysis: Analysis, run: list[Record]) -> Row:
    """Return the finding for one run."""
    first_applied = [record.first_applied_us for record in run if record.first_applied_us is not None]
    last_applied = [record.last_applied_us for record in run if record.last_applied_us is not None]
    return finding(
        "run",
        analysis.downstream.group_id,
        place_of(run[0]),
        downstream=analysis.downstream.name,
        fate=run[0].fate,
        start_offset=run[0].record_offset,
        end_offset=run[-1].record_offset + 1,
        records=len(run),
        first_acked_us=min(record.first_acked_us for record in run),
        last_acked_us=max(record.last_acked_us for record in run),
        first_applied_us=min(first_applied, default=None),
        last_applied_us=max(last_applied, default=None),
        max_applied=max(record.applied_rows for record in run),
    )


def place_of(record: Record) -> Partition:
    """Return the partition a record stands in."""
    return (record.cluster, record.topic, record.partition)


def commit_findings(commits: list[Row], watermarks: list[Row], analyses: list[Analysis]) -> list[Row]:
    """Return the findings about one group's commits on one partition, given in order."""
    rows = [above_log_end(commit, watermarks) for commit in commits]
    for index, (previous, commit) in enumerate(pairwise(commits)):
        rows.append(rewind(previous, commit, commits[index + 2 :]))
        rows += [jump(previous, commit, analysis) for analysis in analyses]
        rows.append(reset_to_earliest(previous, commit, watermarks))
        rows.append(reset_to_latest(previous, commit, watermarks, analyses))
    return [row for row in rows if row is not None]


def rewind(previous: Row, commit: Row, later: list[Row]) -> Row | None:
    """Find a commit below the one before, and when the group got back to where it was."""
    offset, before = commit["committed_offset"], previous["committed_offset"]
    if offset >= before:
        return None
    regained_us = next((row["committed_at"] for row in later if row["committed_offset"] >= before), None)
    return finding(
        "commit_rewind",
        commit["group_id"],
        partition_of(commit),
        start_offset=offset,
        end_offset=before,
        occurred_us=commit["committed_at"],
        regained_us=regained_us,
    )


def records_between(previous: Row, commit: Row, analysis: Analysis) -> list[Record]:
    """Return the records a commit moved over."""
    return [
        record
        for record in analysis.records
        if place_of(record) == partition_of(commit)
        and previous["committed_offset"] <= record.record_offset < commit["committed_offset"]
    ]


def jump(previous: Row, commit: Row, analysis: Analysis) -> Row | None:
    """Find a commit that moved over records which were never applied in a downstream, other than filtered ones."""
    missed = [r for r in records_between(previous, commit, analysis) if r.applied_rows == 0 and r.fate != "filtered"]
    if not missed:
        return None
    return finding(
        "commit_jump",
        commit["group_id"],
        partition_of(commit),
        downstream=analysis.downstream.name,
        start_offset=min(record.record_offset for record in missed),
        end_offset=max(record.record_offset for record in missed) + 1,
        records=len(missed),
        occurred_us=commit["committed_at"],
    )


def reset_to_earliest(previous: Row, commit: Row, watermarks: list[Row]) -> Row | None:
    """Find a rewind exactly to the log start."""
    watermark = watermark_as_of(watermarks, commit["committed_at"])
    if watermark is None or commit["committed_offset"] >= previous["committed_offset"]:
        return None
    return reset(previous, commit, "earliest") if commit["committed_offset"] == watermark["log_start_offset"] else None


def reset_to_latest(previous: Row, commit: Row, watermarks: list[Row], analyses: list[Analysis]) -> Row | None:
    """Find a move to the log end over acked records of which none was applied anywhere."""
    watermark = watermark_as_of(watermarks, commit["committed_at"])
    if watermark is None or commit["committed_offset"] < watermark["log_end_offset"]:
        return None
    crossed = [record for analysis in analyses for record in records_between(previous, commit, analysis)]
    if all(record.fate == "filtered" for record in crossed) or any(record.applied_rows > 0 for record in crossed):
        return None
    return reset(previous, commit, "latest")


def reset(previous: Row, commit: Row, reset_to: str) -> Row:
    """Return the finding for an offset reset."""
    offsets = sorted([previous["committed_offset"], commit["committed_offset"]])
    return finding(
        "offset_reset",
        commit["group_id"],
        partition_of(commit),
        start_offset=offsets[0],
        end_offset=offsets[1],
        occurred_us=commit["committed_at"],
        reset_to=reset_to,
    )


def above_log_end(commit: Row, watermarks: list[Row]) -> Row | None:
    """Find a commit above the log end seen next."""
    watermark = watermark_at_or_after(watermarks, commit["committed_at"])
    if watermark is None or commit["committed_offset"] <= watermark["log_end_offset"]:
        return None
    return finding(
        "commit_above_log_end",
        commit["group_id"],
        partition_of(commit),
        start_offset=watermark["log_end_offset"],
        end_offset=commit["committed_offset"],
        occurred_us=commit["committed_at"],
    )
