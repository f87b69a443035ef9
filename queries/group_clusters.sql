-- On which cluster does each group count, step by step?
-- Measure: M7
-- Grain: one row per (group, step, cluster)
-- Reads: steps, drill_groups, drill_objectives, group_commits, group_topics, acked_partitions
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   step_us bigint  step, microseconds since the epoch
--   cluster varchar  cluster
-- Method: The cluster of the latest commit as of the step; before the first commit that commit's cluster; of a group
--   that never committed, every cluster that acknowledged records of its topics.
with arrivals as (
    select
        group_commits.group_id,
        group_commits.cluster,
        group_commits.group_position,
        group_commits.committed_us
        + (drill_objectives.step_us - group_commits.committed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us
    from group_commits
    cross join drill_objectives
),

latest as (
    select group_id, step_us, max(group_position) as group_position
    from arrivals
    group by group_id, step_us
),

carried as (
    select
        drill_groups.group_id,
        steps.step_us,
        max(latest.group_position) over (
            partition by drill_groups.group_id order by steps.step_us rows unbounded preceding
        ) as group_position
    from drill_groups
    cross join steps
    left join latest on latest.group_id = drill_groups.group_id and latest.step_us = steps.step_us
)

select carried.group_id, carried.step_us, group_commits.cluster
from carried
inner join group_commits
    on
        group_commits.group_id = carried.group_id
        and group_commits.group_position = coalesce(carried.group_position, 1)
union all
select distinct carried.group_id, carried.step_us, group_topics.cluster
from carried
inner join group_topics on group_topics.group_id = carried.group_id
inner join acked_partitions
    on acked_partitions.cluster = group_topics.cluster and acked_partitions.topic = group_topics.topic
left join group_commits
    on group_commits.group_id = carried.group_id and group_commits.group_position = 1
where group_commits.group_id is null
