-- Which records did the scan that counts find in each log?
-- Measure: M2
-- Grain: one row per (cluster, topic, partition, record_offset, record_id)
-- Reads: log_records, latest_scans
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset in the log
--   record_id varchar  identity, null if it has none
-- Method: Rows of the latest scan of the partition, and rows that name no scan.
select distinct
    log_records.cluster,
    log_records.topic,
    log_records.partition,
    log_records.record_offset,
    log_records.record_id
from log_records
inner join latest_scans
    on
        latest_scans.cluster = log_records.cluster
        and latest_scans.topic = log_records.topic
        and latest_scans.partition = log_records.partition
where log_records.scanned_us is null or log_records.scanned_us = latest_scans.scanned_us
