-- On which rows of the ledger can acknowledged records stand, and by which number do the queries call each?
-- Measure: M3
-- Grain: one row per (downstream, log it must account for)
-- Reads: acked_logs, downstream_topics, drill_downstreams
-- Parameters: none
-- Returns:
--   page_number integer  its number, from 1
--   log_number integer  number of the log
--   downstream varchar  downstream
--   group_id varchar  group that feeds it
--   match_by varchar  offset or record_id
--   delivery varchar  exactly_one, at_most_one or many
--   is_declared boolean  false for the flow itself where no downstream is defined
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
-- Method: Numbered by downstream and log.
select
    cast(row_number() over (order by drill_downstreams.downstream, acked_logs.log_number) as integer) as page_number,
    acked_logs.log_number,
    drill_downstreams.downstream,
    drill_downstreams.group_id,
    drill_downstreams.match_by,
    drill_downstreams.delivery,
    drill_downstreams.is_declared,
    acked_logs.cluster,
    acked_logs.topic,
    acked_logs.partition
from acked_logs
inner join downstream_topics
    on downstream_topics.cluster = acked_logs.cluster and downstream_topics.topic = acked_logs.topic
inner join drill_downstreams on drill_downstreams.downstream = downstream_topics.downstream
