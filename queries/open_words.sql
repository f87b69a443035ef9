-- In which words do records have to be looked at one by one?
-- Measure: M1
-- Grain: one row per (log_number, word_offset) with acknowledged records that is not settled
-- Reads: acked_words, settled_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   cluster varchar  cluster that acknowledged
--   topic varchar  physical topic
--   partition integer  partition
--   word_offset bigint  first offset of the word
-- Method: What settled_words leaves.
select
    acked_words.log_number, acked_words.cluster, acked_words.topic, acked_words.partition, acked_words.word_offset
from acked_words
left join settled_words
    on settled_words.log_number = acked_words.log_number and settled_words.word_offset = acked_words.word_offset
where settled_words.log_number is null
