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
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
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
        min(record_offset) as lowest_offset,
        max(record_offset) as highest_offset,
        min(acked_us) as first_acked_us,
        max(acked_us) as last_acked_us
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
    words.lowest_offset,
    words.highest_offset,
    words.first_acked_us,
    words.last_acked_us
from words
inner join flow_topics on flow_topics.cluster = words.cluster and flow_topics.topic = words.topic
