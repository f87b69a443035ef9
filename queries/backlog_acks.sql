-- When were the records acknowledged that stand at the committed offsets of a backlog?
-- Measure: M7
-- Grain: one row per acknowledged row at such an offset
-- Reads: backlog_places, acks
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
    acks.acked_us
from acks
inner join backlog_places
    on
        backlog_places.cluster = acks.cluster
        and backlog_places.topic = acks.topic
        and backlog_places.partition = acks.partition
        and backlog_places.committed_offset = acks.record_offset
where acks.outcome = 'acked'
