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
with logs as (
    select
        group_id, cluster, topic, partition,
        cast(row_number() over (order by group_id, cluster, topic, partition) as integer) as log_number
    from group_partitions
),

numbered_commits as (
    select
        logs.log_number,
        group_commits.partition_position,
        group_commits.committed_us,
        group_commits.committed_offset,
        group_commits.is_polled,
        group_commits.seen_us
    from group_commits
    inner join logs
        on
            logs.group_id = group_commits.group_id
            and logs.cluster = group_commits.cluster
            and logs.topic = group_commits.topic
            and logs.partition = group_commits.partition
),

latest as (
    select
        numbered_commits.log_number,
        numbered_commits.committed_us
        + (drill_objectives.step_us - numbered_commits.committed_us % drill_objectives.step_us)
        % drill_objectives.step_us as step_us,
        max(numbered_commits.partition_position) as partition_position
    from numbered_commits
    cross join drill_objectives
    group by 1, 2
),

carried as (
    select
        logs.log_number,
        steps.step_us,
        max(latest.partition_position) over (
            partition by logs.log_number order by steps.step_us rows unbounded preceding
        ) as partition_position
    from logs
    cross join steps
    left join latest on latest.log_number = logs.log_number and latest.step_us = steps.step_us
)

select
    logs.group_id,
    logs.cluster,
    logs.topic,
    logs.partition,
    carried.step_us,
    numbered_commits.committed_offset,
    numbered_commits.is_polled,
    numbered_commits.seen_us
from carried
inner join numbered_commits
    on
        numbered_commits.log_number = carried.log_number
        and numbered_commits.partition_position = carried.partition_position
inner join logs on logs.log_number = carried.log_number
