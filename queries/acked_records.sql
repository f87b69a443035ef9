-- Which records of the flow did the brokers acknowledge, and where?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition, record_offset, record_id)
-- Reads: acks, flow_topics
-- Parameters: none
-- Returns:
--   cluster varchar  cluster that acknowledged it
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the record, null if it has none
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: Acknowledged rows that share coordinates and identity are one record, however often they were captured.
select
    acks.cluster,
    acks.topic,
    acks.partition,
    acks.record_offset,
    acks.record_id,
    min(acks.acked_us) as first_acked_us,
    max(acks.acked_us) as last_acked_us
from acks
inner join flow_topics on flow_topics.cluster = acks.cluster and flow_topics.topic = acks.topic
where acks.outcome = 'acked'
group by acks.cluster, acks.topic, acks.partition, acks.record_offset, acks.record_id
