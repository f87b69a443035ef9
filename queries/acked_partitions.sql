-- Which partitions took acknowledged records, and from which offset on?
-- Measure: M3
-- Grain: one row per (cluster, topic, partition)
-- Reads: acked_records, acked_logs
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   lowest_offset bigint  lowest acknowledged offset
--   highest_offset bigint  highest acknowledged offset
--   records bigint  acknowledged records
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: Extremes over the acknowledged records of each partition.
with totals as (
    select
        log_number,
        min(record_offset) as lowest_offset,
        max(record_offset) as highest_offset,
        count(*) as records,
        min(first_acked_us) as first_acked_us,
        max(last_acked_us) as last_acked_us
    from acked_records
    group by log_number
)

select
    acked_logs.cluster,
    acked_logs.topic,
    acked_logs.partition,
    totals.lowest_offset,
    totals.highest_offset,
    totals.records,
    totals.first_acked_us,
    totals.last_acked_us
from totals
inner join acked_logs on acked_logs.log_number = totals.log_number
