-- Which offsets of each acknowledged log did the scan that counts find, word by word?
-- Measure: M2
-- Grain: one row per (log_number, word_offset) with records in the log
-- Reads: captured_log_words, latest_scans, acked_logs
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   word_offset bigint  first offset of the word
--   log_rows bigint  records found
--   log_bits bigint  bit n is set if a record stands at the n-th offset of the word
--   identified_rows bigint  of the records, those with a record_id
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
-- Method: Words as in acked_words. Rows of the latest scan of the partition, and rows that name no scan.
select
    acked_logs.log_number,
    captured_log_words.word_offset,
    cast(sum(captured_log_words.log_rows) as bigint) as log_rows,
    bit_or(captured_log_words.log_bits) as log_bits,
    cast(sum(captured_log_words.identified_rows) as bigint) as identified_rows,
    bit_xor(captured_log_words.identity_sum) as identity_sum
from captured_log_words
inner join latest_scans
    on
        latest_scans.cluster = captured_log_words.cluster
        and latest_scans.topic = captured_log_words.topic
        and latest_scans.partition = captured_log_words.partition
inner join acked_logs
    on
        acked_logs.cluster = captured_log_words.cluster
        and acked_logs.topic = captured_log_words.topic
        and acked_logs.partition = captured_log_words.partition
where captured_log_words.scanned_us is null or captured_log_words.scanned_us = latest_scans.scanned_us
group by acked_logs.log_number, captured_log_words.word_offset
