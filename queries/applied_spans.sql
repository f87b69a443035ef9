-- How many effects became visible in each downstream, span by span?
-- Measure: M9
-- Grain: one row per (downstream, span, side of the clock start) with effects
-- Reads: merged_applied, drill_downstreams, span_length, turning_points
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   span_end_us bigint  end of the span, inclusive, microseconds since the epoch; spans start exclusive
--   is_before_clock boolean  whether they became visible before the clock start
--   effects bigint  effects in the span
--   first_us bigint  first of them, microseconds since the epoch
--   last_us bigint  last of them, microseconds since the epoch
-- Method: The one reading of every effect that everything by time goes back to. A span in which the clock started is
--   divided there: what is grouped by grows with time, and grows at the clock start, so that it is never equal on both
--   sides of it.
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
        merged_applied.downstream,
        merged_applied.applied_us,
        merged_applied.applied_us + divisions.rounding_us
        - (merged_applied.applied_us + divisions.rounding_us) % divisions.span_us
        + cast(merged_applied.applied_us >= divisions.clock_started_us as integer) as division
    from merged_applied
    cross join divisions
),

captured as (
    select downstream, count(*) as effects, min(applied_us) as first_us, max(applied_us) as last_us
    from divided
    group by downstream, division
)

select
    captured.downstream,
    captured.first_us + divisions.rounding_us - (captured.first_us + divisions.rounding_us) % divisions.span_us
        as span_end_us,
    captured.first_us < divisions.clock_started_us as is_before_clock,
    captured.effects,
    captured.first_us,
    captured.last_us
from captured
cross join divisions
inner join drill_downstreams on drill_downstreams.downstream = captured.downstream
