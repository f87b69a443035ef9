-- Which record identities stand at two or more coordinates of one topic?
-- Measure: M4
-- Grain: one row per (cluster, topic, partition) with at least one
-- Reads: acked_records, log_records, flow_topics
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition of the lowest coordinate of each
--   produced_twice bigint  identities
-- Method: Over acknowledged records and records read back, counted where the lowest (partition, offset) is.
with places as (
    select cluster, topic, partition, record_offset, record_id
    from acked_records
    where record_id is not null
    union all
    select
        log_records.cluster, log_records.topic, log_records.partition, log_records.record_offset, log_records.record_id
    from log_records
    inner join flow_topics
        on flow_topics.cluster = log_records.cluster and flow_topics.topic = log_records.topic
    where log_records.record_id is not null
),

identities as (
    select
        cluster, topic, record_id,
        min(partition) as partition,
        min(partition) <> max(partition) or min(record_offset) <> max(record_offset) as is_repeated
    from places
    group by cluster, topic, record_id
)

select cluster, topic, partition, count(*) as produced_twice
from identities
where is_repeated
group by cluster, topic, partition
