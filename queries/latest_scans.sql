-- Which scan of each partition counts?
-- Measure: M2
-- Grain: one row per (cluster, topic, partition) that was scanned
-- Reads: log_scans
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   from_offset bigint  first offset asked for, inclusive
--   to_offset bigint  log end when the scan ended, exclusive
--   scanned_us bigint  when the scan ended, microseconds since the epoch
-- Method: The latest by scanned_at; of equals the one that reaches furthest up, then down.
with ranked as (
    select
        cluster, topic, partition, from_offset, to_offset, scanned_us,
        row_number() over (
            partition by cluster, topic, partition
            order by scanned_us desc, to_offset desc, from_offset
        ) as place
    from log_scans
)

select cluster, topic, partition, from_offset, to_offset, scanned_us
from ranked
where place = 1
