-- Which offset did each group commit last on each partition?
-- Measure: M1
-- Grain: one row per (group, cluster, topic, partition)
-- Reads: group_commits
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  final committed offset: of the last commit, not the highest
-- Method: The last commit by position on the partition.
with ranked as (
    select
        group_id, cluster, topic, partition, committed_offset, partition_position,
        max(partition_position) over (partition by group_id, cluster, topic, partition) as last_position
    from group_commits
)

select group_id, cluster, topic, partition, committed_offset
from ranked
where partition_position = last_position
