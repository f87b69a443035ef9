-- How many acknowledged records did the flow lose, and from how long before the clock start?
-- Measure: M10
-- Grain: one row
-- Reads: fates, clock, clusters_seen
-- Parameters: none
-- Returns:
--   acked bigint  acknowledged records of the flow, each once however many downstreams
--   rpa_records bigint  of those, missing from their own log, or lost on a failover
--   unjudged bigint  of those that are not counted as missing, records that no scan can judge
--   first_missing_acked_us bigint  earliest acknowledgement of a missing record, microseconds since the epoch
--   rpa_seconds double  clock start minus that, not below 0; 0 if none is missing; null without a clock start
--   is_simulated boolean  whether a cluster that acknowledged records only imitates Kafka
-- Method: Missing from its own cluster's log where the group stayed (or never committed), lost where it moved.
with judged as (
    select
        fates.cluster,
        fates.topic,
        fates.partition,
        fates.record_offset,
        fates.record_id,
        min(fates.first_acked_us) as first_acked_us,
        max(case when (fates.is_log_missing and not fates.is_away) or fates.fate = 'lost' then 1 else 0 end) as missing,
        max(case
            when fates.is_away then case when fates.fate = 'unresolved' then 1 else 0 end
            when not fates.is_log_judged then 1
            else 0
        end) as unjudged
    from fates
    group by fates.cluster, fates.topic, fates.partition, fates.record_offset, fates.record_id
),

totals as (
    select
        count(*) as acked,
        coalesce(sum(judged.missing), 0) as rpa_records,
        coalesce(sum(case when judged.missing = 0 then judged.unjudged else 0 end), 0) as unjudged,
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
