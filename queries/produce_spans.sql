-- How many produces ended in which way, span by span?
-- Measure: M9
-- Grain: one row per (cluster, topic, outcome, error, acks, span, phase) in which a produce ended
-- Reads: captured_produce_spans, merged_produces, flow_topics, span_length, turning_points
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   outcome varchar  acked, failed, indeterminate or aborted
--   error varchar  error code name
--   acks varchar  the producer's acks setting
--   span_end_us bigint  end of the span, inclusive, microseconds since the epoch; spans start exclusive
--   phase integer  0 before the clock start (or without one), 1 at it, 2 after it; 3 more after the switch
--   produces bigint  outcomes in the span
--   first_us bigint  first of them, microseconds since the epoch
--   last_us bigint  last of them, microseconds since the epoch
-- Method: The one reading of every outcome that everything by time goes back to. A span in which the clock started, or the
--   switch was made, is divided there: what is grouped by grows with time, and grows at each division, so that it is
--   never equal on both sides of one. What was captured twice is counted twice at first, and then taken off.
with divisions as (
    select
        span_length.span_us,
        span_length.span_us - 1 as rounding_us,
        coalesce(turning_points.clock_started_us, 9223372036854775807) as clock_started_us,
        coalesce(turning_points.switched_us, 9223372036854775807) as switched_us
    from span_length
    cross join turning_points
),

divided_merged as (
    select
        merged_produces.cluster, merged_produces.topic, merged_produces.outcome, merged_produces.error,
        merged_produces.acks, merged_produces.acked_us,
        merged_produces.acked_us + divisions.rounding_us
        - (merged_produces.acked_us + divisions.rounding_us) % divisions.span_us
        + cast(merged_produces.acked_us >= divisions.clock_started_us as integer)
        + cast(merged_produces.acked_us > divisions.clock_started_us as integer)
        + cast(merged_produces.acked_us > divisions.switched_us as integer) as division,
        case when merged_produces.outcome = 'acked' then 1 - merged_produces.captured_rows else 1 end as produces
    from merged_produces
    cross join divisions
),

counted as (
    select cluster, topic, 'acked' as outcome, error, acks, division, produces, first_us, last_us
    from captured_produce_spans
    union all
    select
        cluster, topic, outcome, error, acks, division,
        cast(sum(produces) as bigint) as produces,
        min(acked_us) as first_us,
        max(acked_us) as last_us
    from divided_merged
    group by cluster, topic, outcome, error, acks, division
),

spans as (
    select
        cluster, topic, outcome, error, acks,
        cast(sum(produces) as bigint) as produces,
        min(first_us) as first_us,
        max(last_us) as last_us
    from counted
    group by cluster, topic, outcome, error, acks, division
)

select
    spans.cluster, spans.topic, spans.outcome, spans.error, spans.acks,
    spans.first_us + divisions.rounding_us - (spans.first_us + divisions.rounding_us) % divisions.span_us as span_end_us,
    case
        when spans.first_us > divisions.clock_started_us then 2
        when spans.first_us = divisions.clock_started_us then 1
        else 0
    end
    + case when spans.first_us > divisions.switched_us then 3 else 0 end as phase,
    spans.produces, spans.first_us, spans.last_us
from spans
cross join divisions
inner join flow_topics on flow_topics.cluster = spans.cluster and flow_topics.topic = spans.topic
