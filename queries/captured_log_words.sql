-- Which offsets of each log did some captured rows find, scan by scan and word by word?
-- Measure: M2
-- Grain: one row per (cluster, topic, partition, scanned_us, word_offset) found, and of each set of files read at once
-- Reads: log_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   scanned_us bigint  when the scan began, microseconds since the epoch; null where the rows name no scan
--   word_offset bigint  first offset of the word
--   log_rows bigint  records found
--   log_bits bigint  bit n is set if a record stands at the n-th offset of the word
--   identified_rows bigint  of the records, those with a record_id
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
-- Method: A summary, as captured_ack_words is; log_words puts the words of all files together.
select
    cluster,
    topic,
    partition,
    scanned_us,
    word_of(record_offset) as word_offset,
    count(*) as log_rows,
    bit_or(offset_bit(record_offset)) as log_bits,
    count(record_id) as identified_rows,
    bit_xor(identity_hash(record_id, record_offset)) as identity_sum
from log_records
group by cluster, topic, partition, scanned_us, word_of(record_offset)
