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
--   divided there.
with captured as (
    select
        merged_applied.downstream,
        merged_applied.applied_us
        + (span_length.span_us - merged_applied.applied_us % span_length.span_us) % span_length.span_us as span_end_us,
        coalesce(merged_applied.applied_us < turning_points.clock_started_us, false) as is_before_clock,
        count(*) as effects,
        min(merged_applied.applied_us) as first_us,
        max(merged_applied.applied_us) as last_us
    from merged_applied
    cross join span_length
    cross join turning_points
    group by 1, 2, 3
)

select
    captured.downstream, captured.span_end_us, captured.is_before_clock, captured.effects, captured.first_us,
    captured.last_us
from captured
inner join drill_downstreams on drill_downstreams.downstream = captured.downstream
