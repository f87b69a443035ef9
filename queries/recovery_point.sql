-- How many acknowledged records did the flow lose, and from how long before the clock start?
-- Measure: M10
-- Grain: one row
-- Reads: record_fates, settled_pages, ledger_pages, clock, clusters_seen, group_homes
-- Parameters: none
-- Returns:
--   acked bigint  acknowledged records of the flow, each once however many downstreams
--   rpa_records bigint  of those, missing from their own log, or lost on a failover
--   unjudged bigint  of those that are not counted as missing, records that no scan can judge, or whose group may have moved unseen
--   first_missing_acked_us bigint  earliest acknowledgement of a missing record, microseconds since the epoch
--   rpa_seconds double  clock start minus that, not below 0; 0 if none is missing; null without a clock start
--   is_simulated boolean  whether a cluster that acknowledged records only imitates Kafka
-- Method: A record of a log that several downstreams must account for counts once. Missing from its own cluster's log
--   where the group stayed (or never committed), lost where it moved. Of a group without a commit nobody knows whether
--   it moved, if there was another cluster to move to.
with counted as (
    select count(*) as clusters from clusters_seen
),

sole_pages as (
    select log_number, min(page_number) as page_number
    from ledger_pages
    group by log_number
    having count(*) = 1
),

states as (
    select
        ledger_pages.log_number,
        ledger_pages.cluster,
        sole_pages.log_number is not null as is_sole,
        record_fates.record_offset,
        record_fates.record_id,
        record_fates.first_acked_us,
        1 as records,
        case
            when (record_fates.is_log_missing and not record_fates.is_away) or record_fates.fate = 'lost' then 1 else 0
        end as missing,
        case
            when record_fates.is_away then case when record_fates.fate = 'unresolved' then 1 else 0 end
            when not record_fates.is_log_judged then 1
            when ledger_pages.group_id is not null and group_homes.cluster is null and counted.clusters > 1 then 1
            else 0
        end as unjudged
    from record_fates
    inner join ledger_pages on ledger_pages.page_number = record_fates.page_number
    cross join counted
    left join sole_pages on sole_pages.page_number = record_fates.page_number
    left join group_homes on group_homes.group_id = ledger_pages.group_id
),

settled_states as (
    select
        ledger_pages.log_number,
        ledger_pages.cluster,
        settled_pages.word_offset,
        settled_pages.records,
        case
            when coalesce(group_homes.cluster <> ledger_pages.cluster, false)
                then case when settled_pages.is_applied then 0 else 1 end
            when not settled_pages.is_log_judged then 1
            when ledger_pages.group_id is not null and group_homes.cluster is null and counted.clusters > 1 then 1
            else 0
        end as unjudged
    from settled_pages
    inner join ledger_pages on ledger_pages.page_number = settled_pages.page_number
    cross join counted
    left join group_homes on group_homes.group_id = ledger_pages.group_id
),

judged as (
    select cluster, records, first_acked_us, missing, unjudged
    from states
    where is_sole
    union all
    select
        cluster,
        1 as records,
        min(first_acked_us) as first_acked_us,
        max(missing) as missing,
        max(unjudged) as unjudged
    from states
    where not is_sole
    group by log_number, cluster, record_offset, record_id
    union all
    select
        cluster,
        max(records) as records,
        cast(null as bigint) as first_acked_us,
        0 as missing,
        max(unjudged) as unjudged
    from settled_states
    group by log_number, cluster, word_offset
),

totals as (
    select
        cast(coalesce(sum(judged.records), 0) as bigint) as acked,
        coalesce(sum(judged.missing), 0) as rpa_records,
        coalesce(sum(case when judged.missing = 0 then judged.unjudged * judged.records else 0 end), 0) as unjudged,
        min(case when judged.missing = 1 then judged.first_acked_us end) as first_missing_acked_us,
        coalesce(max(case when clusters_seen.is_simulated then 1 else 0 end), 0) as simulated
    from judged
    left join clusters_seen on clusters_seen.cluster = judged.cluster
)

select
    totals.acked,
    cast(totals.rpa_records as bigint) as rpa_records,
    cast(totals.unjudged as bigint) as unjudged,
    totals.first_missing_acked_us,
    case
        when totals.rpa_records = 0 then cast(0 as double)
        when clock.clock_started_us < totals.first_missing_acked_us then cast(0 as double)
        else cast(clock.clock_started_us - totals.first_missing_acked_us as double) / 1000000
    end as rpa_seconds,
    totals.simulated = 1 as is_simulated
from totals
cross join clock
