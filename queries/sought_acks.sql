-- Which acknowledgements are looked up?
-- Measure: M1, M6, M7
-- Grain: one row per acknowledged row at an offset that is looked up, as captured
-- Reads: acks, sought_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the record, null if it has none
--   acked_us bigint  when it was acknowledged, microseconds since the epoch
-- Method: Few in most drills, read once for all who ask.
select sought_words.log_number, acks.record_offset, acks.record_id, acks.acked_us
from acks
inner join sought_words
    on
        sought_words.cluster = acks.cluster
        and sought_words.topic = acks.topic
        and sought_words.partition = acks.partition
        and sought_words.word_offset = word_of(acks.record_offset)
where acks.outcome = 'acked' and sought_words.sought_bits & offset_bit(acks.record_offset) <> 0
