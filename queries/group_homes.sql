-- On which cluster did each group end?
-- Measure: M1
-- Grain: one row per group that committed
-- Reads: group_commits
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster of its last commit
-- Method: The last commit by position in the group.
with ranked as (
    select
        group_id, cluster, group_position,
        max(group_position) over (partition by group_id) as last_position
    from group_commits
)

select group_id, cluster
from ranked
where group_position = last_position
