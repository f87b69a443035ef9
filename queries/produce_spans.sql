-- How many produces ended in which way, span by span?
-- Measure: M9
-- Grain: one row per (cluster, topic, outcome, error, acks, span, phase) in which a produce ended
-- Reads: acks, crowded_places, merged_produces, flow_topics, span_length, turning_points
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
--   switch was made, is divided there.
with ended as (
    select acks.cluster, acks.topic, acks.outcome, acks.error, acks.acks, acks.acked_us
    from acks
    left join crowded_places
        on
            crowded_places.cluster = acks.cluster
            and crowded_places.topic = acks.topic
            and crowded_places.partition = acks.partition
            and crowded_places.record_offset = acks.record_offset
    where acks.outcome = 'acked' and crowded_places.log_number is null
    union all
    select cluster, topic, outcome, error, acks, acked_us
    from merged_produces
),

counted as (
    select
        ended.cluster,
        ended.topic,
        ended.outcome,
        ended.error,
        ended.acks,
        ended.acked_us + (span_length.span_us - ended.acked_us % span_length.span_us) % span_length.span_us
            as span_end_us,
        case
            when ended.acked_us > turning_points.clock_started_us then 2
            when ended.acked_us = turning_points.clock_started_us then 1
            else 0
        end
        + case when ended.acked_us > turning_points.switched_us then 3 else 0 end as phase,
        count(*) as produces,
        min(ended.acked_us) as first_us,
        max(ended.acked_us) as last_us
    from ended
    cross join span_length
    cross join turning_points
    group by 1, 2, 3, 4, 5, 6, 7
)

select
    counted.cluster, counted.topic, counted.outcome, counted.error, counted.acks, counted.span_end_us, counted.phase,
    counted.produces, counted.first_us, counted.last_us
from counted
inner join flow_topics on flow_topics.cluster = counted.cluster and flow_topics.topic = counted.topic
