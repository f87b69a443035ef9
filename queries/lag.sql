-- How far does each group lag behind on each partition, in records and in seconds, step by step?
-- Measure: M7
-- Grain: one row per (group, cluster, topic, partition, step), on the cluster where the group counts
-- Reads: offset_lag, backlog_heads
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   step_us bigint  step, microseconds since the epoch
--   log_end_offset bigint  as of the step
--   committed_offset bigint  as of the step
--   lag_records bigint  records behind; null if not known
--   lag_records_high bigint  records behind at the next sample of the log end; null after the last
--   lag_seconds double  age of the first record not committed, 0 without lag, null if it was not captured
-- Method: Age is the step minus the time the record was acknowledged (else appended), not below 0.
select
    offset_lag.group_id,
    offset_lag.cluster,
    offset_lag.topic,
    offset_lag.partition,
    offset_lag.step_us,
    offset_lag.log_end_offset,
    offset_lag.committed_offset,
    offset_lag.lag_records,
    offset_lag.lag_records_high,
    case
        when offset_lag.lag_records is null then null
        when offset_lag.lag_records = 0 then cast(0 as double)
        when backlog_heads.head_us > offset_lag.step_us then cast(0 as double)
        else cast(offset_lag.step_us - backlog_heads.head_us as double) / 1000000
    end as lag_seconds
from offset_lag
left join backlog_heads
    on
        backlog_heads.cluster = offset_lag.cluster
        and backlog_heads.topic = offset_lag.topic
        and backlog_heads.partition = offset_lag.partition
        and backlog_heads.committed_offset = offset_lag.committed_offset
