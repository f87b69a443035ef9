-- Which produces of the flow could have been captured twice, each once?
-- Measure: M9
-- Grain: one row per produce outcome
-- Reads: acks, flow_topics, crowded_places
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition, null if it was never known
--   producer varchar  producer session
--   acked_us bigint  when the outcome was known, microseconds since the epoch
--   outcome varchar  acked, failed, indeterminate or aborted
--   error varchar  error code name
--   acks varchar  the producer's acks setting
--   captured_rows bigint  how often it was captured, at least 1
-- Method: All that were not acknowledged, and those acknowledged where several rows were captured. Rows that are equal
--   in every column are one produce captured twice.
with captured as (
    select
        acks.cluster,
        acks.topic,
        acks.partition,
        acks.record_offset,
        acks.record_id,
        acks.producer,
        acks.sent_us,
        acks.acked_us,
        acks.outcome,
        acks.error,
        acks.acks,
        count(*) as captured_rows
    from acks
    inner join flow_topics on flow_topics.cluster = acks.cluster and flow_topics.topic = acks.topic
    where acks.outcome <> 'acked'
    group by
        acks.cluster, acks.topic, acks.partition, acks.record_offset, acks.record_id, acks.producer, acks.sent_us,
        acks.acked_us, acks.outcome, acks.error, acks.acks
    union all
    select
        acks.cluster,
        acks.topic,
        acks.partition,
        acks.record_offset,
        acks.record_id,
        acks.producer,
        acks.sent_us,
        acks.acked_us,
        acks.outcome,
        acks.error,
        acks.acks,
        count(*) as captured_rows
    from acks
    inner join crowded_places
        on
            crowded_places.cluster = acks.cluster
            and crowded_places.topic = acks.topic
            and crowded_places.partition = acks.partition
            and crowded_places.record_offset = acks.record_offset
    where acks.outcome = 'acked'
    group by
        acks.cluster, acks.topic, acks.partition, acks.record_offset, acks.record_id, acks.producer, acks.sent_us,
        acks.acked_us, acks.outcome, acks.error, acks.acks
)

select cluster, topic, partition, producer, acked_us, outcome, error, acks, captured_rows
from captured
