"""From a range of offsets to its very records: when each was acknowledged, whether the log holds it, what applied it.

Reads the range and nothing else of the evidence, so that a large drill answers as fast as a small one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from rtoanalytics.bundle import evidence_select
from rtoanalytics.bundle.opening import open_bundle
from rtoanalytics.errors import QueryError

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.bundle import Bundle

MAX_RECORDS = 1_000
"""Most records of one range that are shown."""
_TABLES = ("acks", "applied", "log_records", "log_scans")


@dataclass(frozen=True)
class OffsetRange:
    """Offsets of one partition: `start_offset` inclusive, `end_offset` exclusive. `downstream` None: of any."""

    downstream: str | None
    cluster: str
    topic: str
    partition: int
    start_offset: int
    end_offset: int


def records_in_range(root: Path, offsets: OffsetRange, limit: int = MAX_RECORDS) -> pl.DataFrame:
    """The acknowledged records of a range, by offset, at most `limit` of them.

    `times_applied` counts rows of `applied` at the record's coordinates, or with its identity where the downstream is
    matched by record_id; `is_in_log` is null where no scan covers the offset. Raises DrillError or EvidenceError for
    a bundle that cannot be read, QueryError for evidence that cannot be searched.
    """
    bundle = open_bundle(root, allow_open_capture=True)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        try:
            for name in _TABLES:
                select = evidence_select(name, bundle.files.get(name, ()))
                connection.execute(f'create view "{name}" as {select}')
            answer = connection.sql(_statement(bundle, offsets), params=_parameters(offsets, limit)).to_arrow_table()
        except duckdb.Error as error:
            msg = f"{root}: {str(error).splitlines()[0]}; rto check lists what is wrong with the evidence"
            raise QueryError(msg) from None
    return pl.DataFrame(answer)


def _parameters(offsets: OffsetRange, limit: int) -> dict[str, object]:
    return {
        "downstream": offsets.downstream,
        "cluster": offsets.cluster,
        "topic": offsets.topic,
        "partition": offsets.partition,
        "start": offsets.start_offset,
        "until": offsets.end_offset,
        "most": limit,
    }


def _statement(bundle: Bundle, offsets: OffsetRange) -> str:
    downstream = next((one for one in bundle.drill.flow.downstreams if one.name == offsets.downstream), None)
    by_identity = downstream is not None and downstream.match == "record_id"
    return _RECORDS.replace("{applied}", _BY_IDENTITY if by_identity else _BY_PLACE)


_BY_PLACE = """
    select records.record_offset, applied.applied_at
    from records
    inner join applied
        on applied.record_offset = records.record_offset
        and (applied.record_id is null or records.record_id is null or applied.record_id = records.record_id)
    where applied.downstream = coalesce($downstream, applied.downstream)
        and coalesce(applied.cluster, $cluster) = $cluster
        and applied.topic = $topic
        and applied.partition = $partition
        and applied.record_offset >= $start
        and applied.record_offset < $until
"""
_BY_IDENTITY = """
    select records.record_offset, applied.applied_at
    from records
    inner join applied on applied.record_id = records.record_id
    where applied.downstream = $downstream
"""
_RECORDS = """
with records as (
    select record_offset, record_id, min(producer) as producer, min(sent_at) as sent_at, min(acked_at) as acked_at
    from acks
    where outcome = 'acked' and cluster = $cluster and topic = $topic and partition = $partition
        and record_offset >= $start and record_offset < $until
    group by record_offset, record_id
    order by record_offset, record_id
    limit $most
),
effects as ({applied}),
applied_times as (
    select record_offset, count(*) as times_applied, min(applied_at) as first_applied_at,
        max(applied_at) as last_applied_at
    from effects
    group by record_offset
),
kept as (
    select distinct record_offset
    from log_records
    where cluster = $cluster and topic = $topic and partition = $partition
        and record_offset >= $start and record_offset < $until
),
scanned as (
    select min(from_offset) as from_offset
    from log_scans
    where cluster = $cluster and topic = $topic and partition = $partition
)
select records.record_offset, records.record_id, records.producer, records.sent_at, records.acked_at,
    coalesce(applied_times.times_applied, 0) as times_applied,
    applied_times.first_applied_at, applied_times.last_applied_at,
    case
        when kept.record_offset is not null then true
        when records.record_offset >= scanned.from_offset then false
    end as is_in_log
from records
left join applied_times on applied_times.record_offset = records.record_offset
left join kept on kept.record_offset = records.record_offset
cross join scanned
order by records.record_offset, records.record_id nulls first
"""
