-- Which offsets of each log did the brokers acknowledge, word by word?
-- Measure: M1
-- Grain: one row per (log_number, word_offset) with acknowledged records; a word is a fixed number of consecutive offsets
-- Reads: captured_ack_words, flow_topics
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
-- Method: What the files say of a word, put together. As many bits as rows: each offset was acknowledged once. Logs are
--   numbered by cluster, topic, partition; rows are matched by two numbers, their log's and their offset, far faster than
--   by names.
with words as (
    select
        cluster, topic, partition, word_offset,
        cast(sum(acked_rows) as bigint) as acked_rows,
        bit_or(acked_bits) as acked_bits,
        cast(sum(identified_rows) as bigint) as identified_rows,
        bit_xor(identity_sum) as identity_sum,
        max(highest_offset) as highest_offset
    from captured_ack_words
    group by cluster, topic, partition, word_offset
),

logs as (
    select
        cast(row_number() over (order by named.cluster, named.topic, named.partition) as integer) as log_number,
        named.cluster, named.topic, named.partition
    from (select distinct cluster, topic, partition from words) as named
    inner join flow_topics on flow_topics.cluster = named.cluster and flow_topics.topic = named.topic
)

select
    logs.log_number,
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
inner join logs on logs.cluster = words.cluster and logs.topic = words.topic and logs.partition = words.partition
