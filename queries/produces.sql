-- How did each produce of the flow end?
-- Measure: M9
-- Grain: one row per produce outcome, each once
-- Reads: acks, flow_topics, crowded_places, merged_produces
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
-- Method: Rows that are equal in every column are one produce captured twice. A row that is alone at its coordinates
--   has no equal.
select
    acks.cluster, acks.topic, acks.partition, acks.producer, acks.acked_us, acks.outcome, acks.error, acks.acks
from acks
inner join flow_topics on flow_topics.cluster = acks.cluster and flow_topics.topic = acks.topic
left join crowded_places
    on
        crowded_places.cluster = acks.cluster
        and crowded_places.topic = acks.topic
        and crowded_places.partition = acks.partition
        and crowded_places.record_offset = acks.record_offset
where acks.outcome = 'acked' and crowded_places.log_number is null
union all
select cluster, topic, partition, producer, acked_us, outcome, error, acks
from merged_produces
