-- How many effects became visible in each downstream, span by span?
-- Measure: M9
-- Grain: one row per (downstream, span, side of the clock start) with effects
-- Reads: captured_applied_spans, merged_applied, repeated_effects, drill_downstreams, span_length, turning_points
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   span_end_us bigint  end of the span, inclusive, microseconds since the epoch; spans start exclusive
--   is_before_clock boolean  whether they became visible before the clock start
--   effects bigint  effects in the span
--   first_us bigint  first of them, microseconds since the epoch
--   last_us bigint  last of them, microseconds since the epoch
-- Method: What everything by time goes back to. A span in which the clock started is divided there. Of downstreams with an
--   effect that was captured twice the rows are read, that effect once.
with divisions as (
    select
        span_length.span_us,
        span_length.span_us - 1 as rounding_us,
        coalesce(turning_points.clock_started_us, 0) as clock_started_us
    from span_length
    cross join turning_points
),

repeating as (
    select distinct downstream from repeated_effects
),

divided as (
    select
        merged_applied.downstream,
        merged_applied.applied_us,
        merged_applied.applied_us + divisions.rounding_us
        - (merged_applied.applied_us + divisions.rounding_us) % divisions.span_us
        + cast(merged_applied.applied_us >= divisions.clock_started_us as integer) as division
    from merged_applied
    inner join repeating on repeating.downstream = merged_applied.downstream
    cross join divisions
),

parts as (
    select
        captured_applied_spans.downstream, captured_applied_spans.division, captured_applied_spans.effects,
        captured_applied_spans.first_us, captured_applied_spans.last_us
    from captured_applied_spans
    left join repeating on repeating.downstream = captured_applied_spans.downstream
    where repeating.downstream is null
    union all
    select downstream, division, count(*) as effects, min(applied_us) as first_us, max(applied_us) as last_us
    from divided
    group by downstream, division
),

spans as (
    select
        downstream, cast(sum(effects) as bigint) as effects, min(first_us) as first_us, max(last_us) as last_us
    from parts
    group by downstream, division
)

select
    spans.downstream,
    spans.first_us + divisions.rounding_us - (spans.first_us + divisions.rounding_us) % divisions.span_us as span_end_us,
    spans.first_us < divisions.clock_started_us as is_before_clock,
    spans.effects,
    spans.first_us,
    spans.last_us
from spans
cross join divisions
inner join drill_downstreams on drill_downstreams.downstream = spans.downstream
