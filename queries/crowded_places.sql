-- At which coordinates was more than one acknowledgement captured?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition, record_offset) with several acknowledged rows
-- Reads: acked_places, acked_logs
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset acknowledged
-- Method: Few in most drills, so that only these are compared column by column.
select
    acked_logs.log_number,
    acked_logs.cluster,
    acked_logs.topic,
    acked_logs.partition,
    acked_places.record_offset
from acked_places
inner join acked_logs on acked_logs.log_number = acked_places.log_number
where acked_places.is_crowded
