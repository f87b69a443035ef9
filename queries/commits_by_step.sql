-- What had each group committed on each partition, step by step?
-- Measure: M7
-- Grain: one row per (group, cluster, topic, partition, step) from its first commit on
-- Reads: steps, drill_objectives, group_commits, group_partitions
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   step_us bigint  step, microseconds since the epoch
--   committed_offset bigint  the next offset to read
--   is_polled boolean  whether the commit was sampled
--   seen_us bigint  when the collector saw it, microseconds since the epoch
-- Method: The last commit at or before the step.
with arrivals as (
    select
        group_commits.group_id,
        group_commits.cluster,
        group_commits.topic,
        group_commits.partition,
        group_commits.partition_position,
        group_commits.committed_us
        + (drill_objectives.step_us - group_commits.committed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us
    from group_commits
    cross join drill_objectives
),

latest as (
    select group_id, cluster, topic, partition, step_us, max(partition_position) as partition_position
    from arrivals
    group by group_id, cluster, topic, partition, step_us
),

carried as (
    select
        group_partitions.group_id,
        group_partitions.cluster,
        group_partitions.topic,
        group_partitions.partition,
        steps.step_us,
        max(latest.partition_position) over (
            partition by
                group_partitions.group_id,
                group_partitions.cluster,
                group_partitions.topic,
                group_partitions.partition
            order by steps.step_us
            rows unbounded preceding
        ) as partition_position
    from group_partitions
    cross join steps
    left join latest
        on
            latest.group_id = group_partitions.group_id
            and latest.cluster = group_partitions.cluster
            and latest.topic = group_partitions.topic
            and latest.partition = group_partitions.partition
            and latest.step_us = steps.step_us
)

select
    carried.group_id,
    carried.cluster,
    carried.topic,
    carried.partition,
    carried.step_us,
    group_commits.committed_offset,
    group_commits.is_polled,
    group_commits.seen_us
from carried
inner join group_commits
    on
        group_commits.group_id = carried.group_id
        and group_commits.cluster = carried.cluster
        and group_commits.topic = carried.topic
        and group_commits.partition = carried.partition
        and group_commits.partition_position = carried.partition_position
