-- Which effects belong to no acknowledged record, and which of them are from before or outside the capture?
-- Measure: M3
-- Grain: one row per (downstream, cluster, topic, partition); coordinates are null where the effects carry none
-- Reads: applications, downstream_topics, acked_partitions
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster
--   topic varchar  source topic
--   partition integer  source partition
--   unacked bigint  effects at or above the lowest acknowledged offset of the partition, or without coordinates
--   before_capture bigint  effects below it, or on a partition without acknowledged records
-- Method: Compared with the lowest acknowledged offset of the partition.
with lowest as (
    select
        downstream_topics.downstream,
        acked_partitions.cluster,
        acked_partitions.topic,
        acked_partitions.partition,
        acked_partitions.lowest_offset
    from acked_partitions
    inner join downstream_topics
        on downstream_topics.cluster = acked_partitions.cluster and downstream_topics.topic = acked_partitions.topic
),

compared as (
    select
        applications.downstream,
        applications.cluster,
        applications.topic,
        applications.partition,
        applications.cluster is null
        or coalesce(applications.record_offset >= lowest.lowest_offset, false) as is_unacked
    from applications
    left join lowest
        on
            lowest.downstream = applications.downstream
            and lowest.cluster = applications.cluster
            and lowest.topic = applications.topic
            and lowest.partition = applications.partition
    where not applications.is_matched
)

select
    downstream,
    cluster,
    topic,
    partition,
    cast(sum(case when is_unacked then 1 else 0 end) as bigint) as unacked,
    cast(sum(case when is_unacked then 0 else 1 end) as bigint) as before_capture
from compared
group by downstream, cluster, topic, partition
