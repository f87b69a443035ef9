-- When was each table not being captured?
-- Measure: M11
-- Grain: one row per gap of a (collector, target, table)
-- Reads: heartbeats, collector_series
-- Parameters: none
-- Returns:
--   collector varchar  collector
--   target varchar  what it watches, empty for everything
--   table_name varchar  evidence table
--   scope varchar  what the gap is limited to, empty for everything
--   kind varchar  before, hole or after
--   from_us bigint  last sign of life before the gap (exclusive), microseconds since the epoch
--   until_us bigint  next sign of life (exclusive), microseconds since the epoch
-- Method: Between two heartbeats more than three intervals apart there is a hole; before the first heartbeat (three
--   minutes at most) and after the last nothing is known beyond three intervals. What an application captures of itself
--   (acks, client_stats) begins with the application: while another one was captured already, the later one has no gap
--   before it.
with beats as (
    select distinct
        collector, coalesce(target, '') as target, occurred_us, interval_seconds
    from heartbeats
),

paced as (
    select collector, target, occurred_us, cast(round(max(interval_seconds) * 1000000) as bigint) as interval_us
    from beats
    group by collector, target, occurred_us
),

neighbors as (
    select
        collector, target, occurred_us, interval_us,
        lead(occurred_us) over (partition by collector, target order by occurred_us) as next_us,
        lag(occurred_us) over (partition by collector, target order by occurred_us) as previous_us
    from paced
),

gaps as (
    select collector, target, 'hole' as kind, occurred_us as from_us, next_us as until_us
    from neighbors
    where next_us - occurred_us > 3 * interval_us
    union all
    select collector, target, 'after' as kind, occurred_us + 3 * interval_us as from_us, 4611686018427387904 as until_us
    from neighbors
    where next_us is null
    union all
    select collector, target, 'before' as kind, -1 as from_us, occurred_us - least(3 * interval_us, 180000000) as until_us
    from neighbors
    where previous_us is null
)

select
    gaps.collector,
    gaps.target,
    collector_series.table_name,
    collector_series.scope,
    gaps.kind,
    gaps.from_us,
    case
        when gaps.kind = 'before' and collector_series.table_name in ('acks', 'client_stats')
            then min(gaps.until_us) over (partition by gaps.kind, collector_series.table_name)
        else gaps.until_us
    end as until_us
from gaps
inner join collector_series
    on collector_series.collector = gaps.collector and collector_series.target = gaps.target
