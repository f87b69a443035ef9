-- When were the records acknowledged that stand at the committed offsets of a backlog?
-- Measure: M7
-- Grain: one row per acknowledged row at such an offset
-- Reads: backlog_places, acked_logs, sought_acks
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  offset committed while there was lag
--   acked_us bigint  when its record was acknowledged, microseconds since the epoch
-- Method: Row by row; the earliest counts.
select
    backlog_places.cluster, backlog_places.topic, backlog_places.partition, backlog_places.committed_offset,
    sought_acks.acked_us
from sought_acks
inner join acked_logs on acked_logs.log_number = sought_acks.log_number
inner join backlog_places
    on
        backlog_places.cluster = acked_logs.cluster
        and backlog_places.topic = acked_logs.topic
        and backlog_places.partition = acked_logs.partition
        and backlog_places.committed_offset = sought_acks.record_offset
