-- Which offsets of each log do some captured rows say were acknowledged, word by word?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition, word_offset) of acknowledged rows, and of each set of files read at once
-- Reads: acks
-- Parameters: none
-- Returns:
--   cluster varchar  cluster that acknowledged
--   topic varchar  physical topic, of the flow or not
--   partition integer  partition
--   word_offset bigint  first offset of the word, acknowledged or not
--   acked_rows bigint  acknowledged rows captured
--   acked_bits bigint  bit n is set if the n-th offset of the word was acknowledged
--   identified_rows bigint  of the rows, those with a record_id
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
--   highest_offset bigint  highest acknowledged offset
-- Method: One row stands for dozens of records. A summary: what it says of some files holds whatever other files say, so
--   that it may be kept, and acked_words puts the words of all files together.
select
    cluster,
    topic,
    partition,
    word_of(record_offset) as word_offset,
    count(*) as acked_rows,
    bit_or(offset_bit(record_offset)) as acked_bits,
    count(record_id) as identified_rows,
    bit_xor(identity_hash(record_id, record_offset)) as identity_sum,
    max(record_offset) as highest_offset
from acks
where outcome = 'acked'
group by cluster, topic, partition, word_of(record_offset)
