-- How many acknowledgements do some captured rows hold, span by span?
-- Measure: M9
-- Grain: one row per (cluster, topic, error, acks, span, part of it) with acknowledged rows, and of each set of files read at once
-- Reads: acks, span_length, turning_points
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic, of the flow or not
--   error varchar  error code name
--   acks varchar  the producer's acks setting
--   division bigint  number of the span, and of the part of it before, at or after a turning point; it grows with time
--   produces bigint  rows captured, a produce that was captured twice being two
--   first_us bigint  first of them, microseconds since the epoch
--   last_us bigint  last of them, microseconds since the epoch
-- Method: A summary, as captured_ack_words is; produce_spans puts the spans of all files together. Spans end inclusive. What
--   is grouped by grows with time, and grows at each turning point, so that it is never equal on both sides of one.
with divisions as (
    select
        span_length.span_us,
        span_length.span_us - 1 as rounding_us,
        coalesce(turning_points.clock_started_us, 9223372036854775807) as clock_started_us,
        coalesce(turning_points.switched_us, 9223372036854775807) as switched_us
    from span_length
    cross join turning_points
),

divided as (
    select
        acks.cluster, acks.topic, acks.error, acks.acks, acks.acked_us,
        acks.acked_us + divisions.rounding_us - (acks.acked_us + divisions.rounding_us) % divisions.span_us
        + 1 + cast(sign(acks.acked_us - divisions.clock_started_us) as integer)
        + cast(acks.acked_us > divisions.switched_us as integer) as division
    from acks
    cross join divisions
    where acks.outcome = 'acked'
)

select
    cluster, topic, error, acks, division,
    count(*) as produces,
    min(acked_us) as first_us,
    max(acked_us) as last_us
from divided
group by cluster, topic, error, acks, division
