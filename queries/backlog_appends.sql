-- When were the records appended that stand at the committed offsets of a backlog?
-- Measure: M7
-- Grain: one row per record read back at such an offset
-- Reads: backlog_places, log_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  offset committed while there was lag
--   appended_us bigint  when its record was appended, microseconds since the epoch
-- Method: Row by row; the earliest counts.
select
    backlog_places.cluster, backlog_places.topic, backlog_places.partition, backlog_places.committed_offset,
    log_records.appended_us
from log_records
inner join backlog_places
    on
        backlog_places.cluster = log_records.cluster
        and backlog_places.topic = log_records.topic
        and backlog_places.partition = log_records.partition
        and backlog_places.committed_offset = log_records.record_offset
where log_records.appended_us is not null
