-- Which partitions count in the lag of each group?
-- Measure: M7
-- Grain: one row per (group, cluster, topic, partition)
-- Reads: group_topics, watermarks, commits, acked_partitions
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
-- Method: Those of its topics that are seen in watermarks, in acknowledged records, or in the group's commits.
with seen as (
    select cluster, topic, partition from watermarks
    union
    select cluster, topic, partition from acked_partitions
)

select group_topics.group_id, seen.cluster, seen.topic, seen.partition
from seen
inner join group_topics on group_topics.cluster = seen.cluster and group_topics.topic = seen.topic
union
select commits.group_id, commits.cluster, commits.topic, commits.partition
from commits
inner join group_topics
    on
        group_topics.group_id = commits.group_id
        and group_topics.cluster = commits.cluster
        and group_topics.topic = commits.topic
