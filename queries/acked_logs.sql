-- Which logs took acknowledged records, and by which number do the queries call each?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition)
-- Reads: acks, flow_topics
-- Parameters: none
-- Returns:
--   log_number integer  its number, from 1
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
-- Method: Numbered by cluster, topic, partition. Millions of records are matched by two numbers, their log's and their
--   offset, far faster than by names.
with logs as (
    select distinct acks.cluster, acks.topic, acks.partition
    from acks
    inner join flow_topics on flow_topics.cluster = acks.cluster and flow_topics.topic = acks.topic
    where acks.outcome = 'acked'
)

select
    cast(row_number() over (order by cluster, topic, partition) as integer) as log_number,
    cluster,
    topic,
    partition
from logs
