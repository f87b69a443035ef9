-- At which offsets are acknowledgements looked up, word by word?
-- Measure: M1, M6, M7
-- Grain: one row per (log_number, word_offset) with such offsets
-- Reads: open_words, settled_pages, backlog_places, acked_logs
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   cluster varchar  cluster that acknowledged
--   topic varchar  physical topic
--   partition integer  partition
--   word_offset bigint  first offset of the word
--   sought_bits bigint  bit n is set if acknowledgements at the n-th offset of the word are looked up
-- Method: Open records, settled ones that were applied twice, and offsets committed while there was lag: all that is asked
--   of single acknowledgements, so that these are read once.
with parts as (
    select log_number, word_offset, open_bits as sought_bits
    from open_words
    union all
    select log_number, word_offset, twice_bits as sought_bits
    from settled_pages
    where twice_bits <> 0
    union all
    select
        acked_logs.log_number,
        word_of(backlog_places.committed_offset) as word_offset,
        offset_bit(backlog_places.committed_offset) as sought_bits
    from backlog_places
    inner join acked_logs
        on
            acked_logs.cluster = backlog_places.cluster
            and acked_logs.topic = backlog_places.topic
            and acked_logs.partition = backlog_places.partition
),

words as (
    select log_number, word_offset, bit_or(sought_bits) as sought_bits
    from parts
    group by log_number, word_offset
)

select
    words.log_number, acked_logs.cluster, acked_logs.topic, acked_logs.partition, words.word_offset, words.sought_bits
from words
inner join acked_logs on acked_logs.log_number = words.log_number
