-- Which partitions of the flow took records during the capture?
-- Measure: M3
-- Grain: one row per partition of a topic that took records at all, as far as seen
-- Reads: acked_partitions, watermarks, partition_states, flow_topics
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   acked bigint  acknowledged records, 0 if it was never exercised
--   is_listed boolean  whether log ends or partition states name it, so that an unused one would have been noticed
-- Method: Partitions named by log ends, partition states or acknowledgements.
with listed as (
    select cluster, topic, partition from watermarks
    union
    select cluster, topic, partition from partition_states
),

used_topics as (
    select distinct cluster, topic from acked_partitions
),

seen as (
    select listed.cluster, listed.topic, listed.partition
    from listed
    inner join flow_topics on flow_topics.cluster = listed.cluster and flow_topics.topic = listed.topic
    inner join used_topics on used_topics.cluster = listed.cluster and used_topics.topic = listed.topic
    union
    select cluster, topic, partition from acked_partitions
)

select
    seen.cluster,
    seen.topic,
    seen.partition,
    coalesce(acked_partitions.records, 0) as acked,
    listed.cluster is not null as is_listed
from seen
left join acked_partitions
    on
        acked_partitions.cluster = seen.cluster
        and acked_partitions.topic = seen.topic
        and acked_partitions.partition = seen.partition
left join listed
    on listed.cluster = seen.cluster and listed.topic = seen.topic and listed.partition = seen.partition
