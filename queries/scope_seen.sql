-- Which topics, groups and downstreams of the definition does the evidence show at work?
-- Measure: M3
-- Grain: one row per topic, group and downstream of the definition
-- Reads: drill_topics, drill_groups, drill_downstreams, flow_topics, acked_partitions, group_commits, applied
-- Parameters: none
-- Returns:
--   kind varchar  topic, group or downstream
--   name varchar  its name in the definition
--   row_count bigint  acknowledged records, commits or applied rows
-- Method: Counted under every physical name.
with acked as (
    select flow_topics.logical_topic, sum(acked_partitions.records) as row_count
    from acked_partitions
    inner join flow_topics
        on flow_topics.cluster = acked_partitions.cluster and flow_topics.topic = acked_partitions.topic
    group by flow_topics.logical_topic
),

committed as (
    select group_id, count(*) as row_count from group_commits group by group_id
),

effected as (
    select downstream, count(*) as row_count from applied group by downstream
)

select 'topic' as kind, drill_topics.logical_topic as name, cast(coalesce(acked.row_count, 0) as bigint) as row_count
from drill_topics
left join acked on acked.logical_topic = drill_topics.logical_topic
union all
select 'group', drill_groups.group_id, coalesce(committed.row_count, 0)
from drill_groups
left join committed on committed.group_id = drill_groups.group_id
union all
select 'downstream', drill_downstreams.downstream, coalesce(effected.row_count, 0)
from drill_downstreams
left join effected on effected.downstream = drill_downstreams.downstream
where drill_downstreams.is_declared
