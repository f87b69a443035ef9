-- Under which physical names do the topics of the flow stand on each cluster?
-- Measure: M1
-- Grain: one row per (cluster, physical topic)
-- Reads: clusters_seen, drill_topics, drill_topic_names
-- Parameters: none
-- Returns:
--   cluster varchar  name of the cluster
--   topic varchar  physical topic name on that cluster
--   logical_topic varchar  topic name in the drill definition
--   is_compacted boolean  whether its cleanup policy contains compact
-- Method: The names given in the definition; where a cluster names none for a topic, the topic's own name.
with defaulted as (
    select
        clusters_seen.cluster,
        drill_topics.logical_topic,
        drill_topics.logical_topic as topic
    from clusters_seen
    cross join drill_topics
    left join drill_topic_names
        on
            drill_topic_names.cluster = clusters_seen.cluster
            and drill_topic_names.logical_topic = drill_topics.logical_topic
    where drill_topic_names.cluster is null
),

named as (
    select cluster, logical_topic, topic from drill_topic_names
    union all
    select cluster, logical_topic, topic from defaulted
)

select
    named.cluster,
    named.topic,
    named.logical_topic,
    drill_topics.is_compacted
from named
inner join drill_topics on drill_topics.logical_topic = named.logical_topic
