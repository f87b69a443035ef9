-- How long did the flow go without an acknowledgement, and each downstream without an applied row?
-- Measure: M9
-- Grain: one row per (kind, name): the longest silence that ended after the clock start
-- Reads: produce_spans, applied_spans, span_length, clock, capture_window
-- Parameters: none
-- Returns:
--   kind varchar  ack or applied
--   name varchar  physical topic, or downstream
--   from_us bigint  last sign before it, microseconds since the epoch
--   until_us bigint  first sign after it, microseconds since the epoch
--   seconds double  its length
-- Method: Between the last sign in one span and the first in the next that has any, both exact. A pause inside one span is
--   no silence: what is shorter than a span is not reported. The stretch from the last sign to the end of the capture does
--   not count: traffic may simply have ended.
with signs as (
    select 'ack' as kind, topic as name, span_end_us, first_us, last_us from produce_spans where outcome = 'acked'
    union all
    select 'applied' as kind, downstream as name, span_end_us, first_us, last_us from applied_spans
),

spans as (
    select kind, name, min(first_us) as first_us, max(last_us) as last_us
    from signs
    group by kind, name, span_end_us
),

pauses as (
    select
        kind, name, first_us as until_us,
        lag(last_us) over (partition by kind, name order by first_us) as from_us
    from spans
),

ranked as (
    select
        pauses.kind, pauses.name, pauses.from_us, pauses.until_us,
        row_number() over (
            partition by pauses.kind, pauses.name order by pauses.until_us - pauses.from_us desc, pauses.until_us
        ) as place
    from pauses
    inner join clock on pauses.until_us > clock.clock_started_us
    inner join capture_window on pauses.until_us <= capture_window.last_us
    cross join span_length
    where pauses.until_us - pauses.from_us >= span_length.span_us
)

select kind, name, from_us, until_us, cast(until_us - from_us as double) / 1000000 as seconds
from ranked
where place = 1
