-- Which offsets of each log did the brokers acknowledge, word by word?
-- Measure: M1
-- Grain: one row per (log_number, word_offset) with acknowledged records; a word is a fixed number of consecutive offsets
-- Reads: acks, flow_topics
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   cluster varchar  cluster that acknowledged
--   topic varchar  physical topic
--   partition integer  partition
--   word_offset bigint  first offset of the word, acknowledged or not
--   acked_rows bigint  acknowledged rows captured
--   acked_bits bigint  bit n is set if the n-th offset of the word was acknowledged
--   identified_rows bigint  of the rows, those with a record_id
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
--   lowest_offset bigint  lowest acknowledged offset
--   highest_offset bigint  highest acknowledged offset
-- Method: One row stands for dozens of records. As many bits as rows: each offset was acknowledged once. Logs are numbered
--   by cluster, topic, partition; rows are matched by two numbers, their log's and their offset, far faster than by names.
with words as (
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
)

select
    cast(dense_rank() over (order by words.cluster, words.topic, words.partition) as integer) as log_number,
    words.cluster,
    words.topic,
    words.partition,
    words.word_offset,
    words.acked_rows,
    words.acked_bits,
    words.identified_rows,
    words.identity_sum,
    words.word_offset + bit_count((words.acked_bits & -words.acked_bits) - 1) as lowest_offset,
    words.highest_offset
from words
inner join flow_topics on flow_topics.cluster = words.cluster and flow_topics.topic = words.topic
