-- Which offsets do some captured rows show effects of, word by word?
-- Measure: M1
-- Grain: one row per (downstream, cluster, topic, partition, word_offset) as captured, and of each set of files read at once
-- Reads: applied
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster, null where the rows name none
--   topic varchar  source topic, null likewise
--   partition integer  source partition, null likewise
--   word_offset bigint  first offset of the word, null where the rows have no offset
--   effects bigint  rows captured, an effect that was captured twice being two
--   effect_bits bigint  bit n is set if the n-th offset of the word has an effect
--   odd_bits bigint  bit n is set if the n-th offset of the word has an odd number of effects
--   identified_effects bigint  of the rows, those with a record_id; 0 where the rows have no offset
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
-- Method: A summary, as captured_ack_words is; effect_words puts the words of all files together. Rows without an offset are
--   of no word, and are only counted.
select
    downstream,
    cluster,
    topic,
    partition,
    word_of(record_offset) as word_offset,
    count(*) as effects,
    bit_or(offset_bit(record_offset)) as effect_bits,
    bit_xor(offset_bit(record_offset)) as odd_bits,
    count(case when record_offset is not null then record_id end) as identified_effects,
    bit_xor(case when record_offset is not null then identity_hash(record_id, record_offset) end) as identity_sum
from applied
group by downstream, cluster, topic, partition, word_of(record_offset)
