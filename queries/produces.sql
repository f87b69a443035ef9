-- How did each produce of the flow end?
-- Measure: M9
-- Grain: one row per produce outcome, each once
-- Reads: acks, flow_topics
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
-- Method: Rows that are equal in every column are one produce captured twice.
with captured as (
    select distinct
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
        acks.acks
    from acks
    inner join flow_topics on flow_topics.cluster = acks.cluster and flow_topics.topic = acks.topic
)

select cluster, topic, partition, producer, acked_us, outcome, error, acks
from captured
