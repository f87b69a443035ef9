-- Which records did the scan that counts find at open offsets?
-- Measure: M2
-- Grain: one row per (log_number, record_offset) that is open, acknowledged or not
-- Reads: log_records, latest_scans, open_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset in the log
--   has_idless boolean  whether a record without identity stands there
--   lowest_record_id varchar  least identity there, null if none has one
--   highest_record_id varchar  greatest identity there, null if none has one
-- Method: Rows of the latest scan of the partition, and rows that name no scan. Two identities at one offset come from
--   rows that name no scan.
select
    open_words.log_number,
    log_records.record_offset,
    max(case when log_records.record_id is null then 1 else 0 end) = 1 as has_idless,
    min(log_records.record_id) as lowest_record_id,
    max(log_records.record_id) as highest_record_id
from log_records
inner join open_words
    on
        open_words.cluster = log_records.cluster
        and open_words.topic = log_records.topic
        and open_words.partition = log_records.partition
        and open_words.word_offset = word_of(log_records.record_offset)
inner join latest_scans
    on
        latest_scans.cluster = log_records.cluster
        and latest_scans.topic = log_records.topic
        and latest_scans.partition = log_records.partition
where
    (log_records.scanned_us is null or log_records.scanned_us = latest_scans.scanned_us)
    and open_words.open_bits & offset_bit(log_records.record_offset) <> 0
group by open_words.log_number, log_records.record_offset
