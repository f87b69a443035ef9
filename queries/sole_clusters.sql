-- Which cluster does an effect come from that names none?
-- Measure: M1
-- Grain: one row per (downstream, topic) acknowledged on one cluster only
-- Reads: acked_logs, downstream_topics
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   topic varchar  physical topic
--   cluster varchar  the only cluster with acknowledged records of it
-- Method: With several clusters, or none, the source is not known.
select
    downstream_topics.downstream,
    downstream_topics.topic,
    min(acked_logs.cluster) as cluster
from acked_logs
inner join downstream_topics
    on downstream_topics.cluster = acked_logs.cluster and downstream_topics.topic = acked_logs.topic
group by downstream_topics.downstream, downstream_topics.topic
having min(acked_logs.cluster) = max(acked_logs.cluster)
