-- At which coordinates was more than one acknowledgement captured?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition, record_offset) with several acknowledged rows
-- Reads: acks, acked_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset acknowledged
-- Method: Looked for in the words that hold more rows than offsets. Few in most drills, so that only these are compared
--   column by column.
with crowded_words as (
    select log_number, cluster, topic, partition, word_offset
    from acked_words
    where acked_rows > bit_count(acked_bits)
)

select
    crowded_words.log_number,
    crowded_words.cluster,
    crowded_words.topic,
    crowded_words.partition,
    acks.record_offset
from acks
inner join crowded_words
    on
        crowded_words.cluster = acks.cluster
        and crowded_words.topic = acks.topic
        and crowded_words.partition = acks.partition
        and crowded_words.word_offset = word_of(acks.record_offset)
where acks.outcome = 'acked'
group by
    crowded_words.log_number, crowded_words.cluster, crowded_words.topic, crowded_words.partition, acks.record_offset
having count(*) > 1
