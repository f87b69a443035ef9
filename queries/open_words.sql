-- In which words do records have to be looked at one by one, and which of them?
-- Measure: M1
-- Grain: one row per (log_number, word_offset) with acknowledged records that are not settled
-- Reads: acked_words, settled_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   cluster varchar  cluster that acknowledged
--   topic varchar  physical topic
--   partition integer  partition
--   word_offset bigint  first offset of the word
--   open_bits bigint  bit n is set unless the record at the n-th offset of the word is settled
--   is_crowded boolean  whether more rows were acknowledged than offsets
-- Method: What settled_words leaves. A word in which something is settled has no effect but of its acknowledged records.
select
    acked_words.log_number, acked_words.cluster, acked_words.topic, acked_words.partition, acked_words.word_offset,
    9223372036854775807 - coalesce(settled_words.settled_bits, 0) as open_bits,
    acked_words.acked_rows > bit_count(acked_words.acked_bits) as is_crowded
from acked_words
left join settled_words
    on settled_words.log_number = acked_words.log_number and settled_words.word_offset = acked_words.word_offset
where settled_words.log_number is null or settled_words.settled_bits <> acked_words.acked_bits
