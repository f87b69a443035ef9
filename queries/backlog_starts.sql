-- When did the record at each committed offset enter the log, where it was captured?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, committed_offset) with lag
-- Reads: backlog_places, backlog_acks, backlog_appends
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  offset committed while there was lag
--   head_us bigint  when its record was acknowledged (else appended), microseconds since the epoch; null if not captured
-- Method: The earliest acknowledgement, or without one the earliest append.
with acked as (
    select cluster, topic, partition, committed_offset, min(acked_us) as acked_us
    from backlog_acks
    group by cluster, topic, partition, committed_offset
),

appended as (
    select cluster, topic, partition, committed_offset, min(appended_us) as appended_us
    from backlog_appends
    group by cluster, topic, partition, committed_offset
)

select
    backlog_places.cluster,
    backlog_places.topic,
    backlog_places.partition,
    backlog_places.committed_offset,
    coalesce(acked.acked_us, appended.appended_us) as head_us
from backlog_places
left join acked
    on
        acked.cluster = backlog_places.cluster
        and acked.topic = backlog_places.topic
        and acked.partition = backlog_places.partition
        and acked.committed_offset = backlog_places.committed_offset
left join appended
    on
        appended.cluster = backlog_places.cluster
        and appended.topic = backlog_places.topic
        and appended.partition = backlog_places.partition
        and appended.committed_offset = backlog_places.committed_offset
