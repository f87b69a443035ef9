-- Which physical topics feed each downstream?
-- Measure: M1
-- Grain: one row per (downstream, cluster, physical topic)
-- Reads: drill_downstream_topics, flow_topics
-- Parameters: none
-- Returns:
--   downstream varchar  name of the downstream
--   cluster varchar  name of the cluster
--   topic varchar  physical topic name on that cluster
-- Method: The topics of the group that feeds the downstream, under every physical name.
select
    drill_downstream_topics.downstream,
    flow_topics.cluster,
    flow_topics.topic
from drill_downstream_topics
inner join flow_topics on flow_topics.logical_topic = drill_downstream_topics.logical_topic
