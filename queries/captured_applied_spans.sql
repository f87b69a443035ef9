-- How many effects do some captured rows hold, span by span?
-- Measure: M9
-- Grain: one row per (downstream, span, side of the clock start) with applied rows, and of each set of files read at once
-- Reads: applied, span_length, turning_points
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   division bigint  number of the span, and of the part of it before or after the clock start; it grows with time
--   effects bigint  rows captured, an effect that was captured twice being two
--   first_us bigint  first of them, microseconds since the epoch
--   last_us bigint  last of them, microseconds since the epoch
-- Method: A summary, as captured_produce_spans is; applied_spans puts the spans of all files together.
with divisions as (
    select
        span_length.span_us,
        span_length.span_us - 1 as rounding_us,
        coalesce(turning_points.clock_started_us, 0) as clock_started_us
    from span_length
    cross join turning_points
),

divided as (
    select
        applied.downstream,
        applied.applied_us,
        applied.applied_us + divisions.rounding_us
        - (applied.applied_us + divisions.rounding_us) % divisions.span_us
        + cast(applied.applied_us >= divisions.clock_started_us as integer) as division
    from applied
    cross join divisions
)

select downstream, division, count(*) as effects, min(applied_us) as first_us, max(applied_us) as last_us
from divided
group by downstream, division
