-- Which physical topics does each group of the flow read?
-- Measure: M7
-- Grain: one row per (group, cluster, physical topic)
-- Reads: drill_group_topics, flow_topics
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  name of the cluster
--   topic varchar  physical topic name on that cluster
-- Method: The topics of the group in the definition, under every physical name.
select
    drill_group_topics.group_id,
    flow_topics.cluster,
    flow_topics.topic
from drill_group_topics
inner join flow_topics on flow_topics.logical_topic = drill_group_topics.logical_topic
