-- Was each table captured without a break, from before the clock start until the service had held?
-- Measure: M11
-- Grain: one row per (table, collector, target); collector is null where a table has rows but no heartbeats
-- Reads: table_extents, collector_series, coverage_gaps, heartbeats, clock, recovery_times, capture_window, drill_objectives
-- Parameters: none
-- Returns:
--   table_name varchar  evidence table
--   collector varchar  collector
--   target varchar  what it watches, null for everything
--   first_row_us bigint  first row of the table, microseconds since the epoch
--   last_row_us bigint  last row of the table, microseconds since the epoch
--   row_count bigint  rows of the table, captured twice or not
--   heartbeats bigint  heartbeats of the collector
--   first_heartbeat_us bigint  first heartbeat, microseconds since the epoch
--   last_heartbeat_us bigint  last heartbeat, microseconds since the epoch
--   interval_seconds double  longest interval it announced, but for what its last heartbeat did
--   holes bigint  stretches of more than three intervals between two heartbeats
--   longest_hole_seconds double  the longest of them, 0 if none
--   is_before_clock boolean  whether it was alive before the clock started
--   is_after_restored boolean  whether it was alive until the service had held (without restoration: until the end)
--   is_complete boolean  no hole, alive before the clock start and until the service had held
--   clock_offset_ms double  largest distance of its clock from the reference, null if not measured
--   clock_error_ms double  largest error of that measurement, null if not measured
-- Method: Three intervals of grace at both ends. A capture that ends in order announces with its last heartbeat how
--   long nothing is to be expected of it.
with ends as (
    select collector, coalesce(target, '') as target, max(occurred_us) as last_us
    from heartbeats
    group by collector, coalesce(target, '')
),

beats as (
    select
        heartbeats.collector,
        ends.target,
        count(*) as heartbeats,
        min(heartbeats.occurred_us) as first_us,
        max(ends.last_us) as last_us,
        coalesce(
            max(case when heartbeats.occurred_us < ends.last_us then heartbeats.interval_seconds end),
            max(heartbeats.interval_seconds)
        ) as interval_seconds,
        max(abs(heartbeats.clock_offset_ms)) as clock_offset_ms,
        max(heartbeats.clock_error_ms) as clock_error_ms
    from heartbeats
    inner join ends on ends.collector = heartbeats.collector and ends.target = coalesce(heartbeats.target, '')
    group by heartbeats.collector, ends.target
),

margins as (
    select
        collector, target, table_name,
        max(case when kind = 'before' then until_us end) as alive_from_us,
        max(case when kind = 'after' then from_us end) as alive_until_us
    from coverage_gaps
    where kind in ('before', 'after')
    group by collector, target, table_name
),

holes as (
    select
        collector, target, table_name, count(*) as holes,
        cast(max(until_us - from_us) as double) / 1000000 as longest_hole_seconds
    from coverage_gaps
    where kind = 'hole'
    group by collector, target, table_name
),

needed as (
    select
        clock.clock_started_us,
        coalesce(recovery_times.restored_us + drill_objectives.hold_us, capture_window.last_us) as until_us
    from clock
    cross join drill_objectives
    left join recovery_times on recovery_times.condition = 'all'
    left join capture_window on true
),

series as (
    select
        collector_series.table_name,
        collector_series.collector,
        collector_series.target,
        beats.heartbeats,
        beats.first_us,
        beats.last_us,
        beats.interval_seconds,
        margins.alive_from_us,
        margins.alive_until_us,
        beats.clock_offset_ms,
        beats.clock_error_ms,
        coalesce(holes.holes, 0) as holes,
        coalesce(holes.longest_hole_seconds, cast(0 as double)) as longest_hole_seconds
    from collector_series
    inner join beats on beats.collector = collector_series.collector and beats.target = collector_series.target
    inner join margins
        on
            margins.collector = collector_series.collector
            and margins.target = collector_series.target
            and margins.table_name = collector_series.table_name
    left join holes
        on
            holes.collector = collector_series.collector
            and holes.target = collector_series.target
            and holes.table_name = collector_series.table_name
    left join table_extents on table_extents.table_name = collector_series.table_name
    where collector_series.is_named or table_extents.table_name is not null
),

judged as (
    select
        series.*,
        coalesce(series.alive_from_us <= needed.clock_started_us, false) as is_before_clock,
        coalesce(series.alive_until_us >= needed.until_us, false) as is_after_restored
    from series
    cross join needed
)

select
    judged.table_name,
    judged.collector,
    nullif(judged.target, '') as target,
    table_extents.first_us as first_row_us,
    table_extents.last_us as last_row_us,
    coalesce(table_extents.row_count, 0) as row_count,
    judged.heartbeats,
    judged.first_us as first_heartbeat_us,
    judged.last_us as last_heartbeat_us,
    judged.interval_seconds,
    judged.holes,
    judged.longest_hole_seconds,
    judged.is_before_clock,
    judged.is_after_restored,
    judged.holes = 0 and judged.is_before_clock and judged.is_after_restored as is_complete,
    judged.clock_offset_ms,
    judged.clock_error_ms
from judged
left join table_extents on table_extents.table_name = judged.table_name
union all
select
    table_extents.table_name,
    null,
    null,
    table_extents.first_us,
    table_extents.last_us,
    table_extents.row_count,
    0,
    null,
    null,
    null,
    0,
    cast(0 as double),
    false,
    false,
    false,
    null,
    null
from table_extents
left join collector_series on collector_series.table_name = table_extents.table_name
where collector_series.table_name is null and table_extents.is_live and table_extents.table_name not in ('events', 'heartbeats')
