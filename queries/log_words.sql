-- Which offsets of each acknowledged log did the scan that counts find, word by word?
-- Measure: M2
-- Grain: one row per (log_number, word_offset) with records in the log
-- Reads: log_records, latest_scans, acked_logs
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   word_offset bigint  first offset of the word
--   log_rows bigint  records found
--   log_bits bigint  bit n is set if a record stands at the n-th offset of the word
--   identified_rows bigint  of the records, those with a record_id
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
-- Method: Words as in acked_words. Rows of the latest scan of the partition, and rows that name no scan.
with captured as (
    select
        cluster, topic, partition, scanned_us,
        word_of(record_offset) as word_offset,
        count(*) as log_rows,
        bit_or(offset_bit(record_offset)) as log_bits,
        count(record_id) as identified_rows,
        bit_xor(identity_hash(record_id, record_offset)) as identity_sum
    from log_records
    group by cluster, topic, partition, scanned_us, word_of(record_offset)
)

select
    acked_logs.log_number,
    captured.word_offset,
    cast(sum(captured.log_rows) as bigint) as log_rows,
    bit_or(captured.log_bits) as log_bits,
    cast(sum(captured.identified_rows) as bigint) as identified_rows,
    bit_xor(captured.identity_sum) as identity_sum
from captured
inner join latest_scans
    on
        latest_scans.cluster = captured.cluster
        and latest_scans.topic = captured.topic
        and latest_scans.partition = captured.partition
inner join acked_logs
    on
        acked_logs.cluster = captured.cluster
        and acked_logs.topic = captured.topic
        and acked_logs.partition = captured.partition
where captured.scanned_us is null or captured.scanned_us = latest_scans.scanned_us
group by acked_logs.log_number, captured.word_offset
