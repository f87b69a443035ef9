-- How long did the flow go without an acknowledgement, and each downstream without an applied row?
-- Measure: M9
-- Grain: one row per (kind, name): the longest silence that ended after the clock start
-- Reads: produces, applied_effects, clock, capture_window
-- Parameters: none
-- Returns:
--   kind varchar  ack or applied
--   name varchar  topic (physical) or downstream
--   from_us bigint  last sign before the silence, microseconds since the epoch
--   until_us bigint  first sign after it, microseconds since the epoch
--   seconds double  length
-- Method: Between consecutive instants. The longest pause between two whole seconds bounds the answer from below: what is
--   shorter cannot be it, so only stretches of that width are told apart. The stretch from the last sign to the end of
--   the capture does not count: traffic may simply have ended.
with moments as (
    select 'ack' as kind, topic as name, acked_us as seen_us from produces where outcome = 'acked'
    union all
    select 'applied' as kind, downstream as name, applied_us as seen_us from applied_effects
),

seconds as (
    select kind, name, min(seen_us) as first_us, max(seen_us) as last_us
    from moments
    group by kind, name, seen_us - seen_us % 1000000
),

pauses as (
    select
        kind, name, first_us as until_us,
        lag(last_us) over (partition by kind, name order by first_us) as from_us
    from seconds
),

widths as (
    select pauses.kind, pauses.name, max(pauses.until_us - pauses.from_us) as width_us
    from pauses
    inner join clock on pauses.until_us > clock.clock_started_us
    inner join capture_window on pauses.until_us <= capture_window.last_us
    group by pauses.kind, pauses.name
),

spans as (
    select moments.kind, moments.name, min(moments.seen_us) as first_us, max(moments.seen_us) as last_us
    from moments
    left join widths on widths.kind = moments.kind and widths.name = moments.name
    group by moments.kind, moments.name, moments.seen_us - moments.seen_us % coalesce(widths.width_us, 1)
),

gaps as (
    select
        kind, name, first_us as until_us,
        lag(last_us) over (partition by kind, name order by first_us) as from_us
    from spans
),

ranked as (
    select
        gaps.kind, gaps.name, gaps.from_us, gaps.until_us,
        row_number() over (
            partition by gaps.kind, gaps.name order by gaps.until_us - gaps.from_us desc, gaps.until_us
        ) as place
    from gaps
    inner join clock on gaps.until_us > clock.clock_started_us
    inner join capture_window on gaps.until_us <= capture_window.last_us
    where gaps.from_us is not null
)

select kind, name, from_us, until_us, cast(until_us - from_us as double) / 1000000 as seconds
from ranked
where place = 1
