-- Which open offsets did the brokers acknowledge, and where is there more than one acknowledgement to compare?
-- Measure: M1
-- Grain: one row per (log_number, record_offset) that is open
-- Reads: acks, open_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the one record there; null if it has none or the place is crowded
--   is_crowded boolean  whether several rows were captured: one record twice, or several records
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
-- Method: Row by row where the word has as many rows as offsets, else grouped by coordinates alone. What stands at crowded
--   places is told apart by crowded_records.
with sole_words as (
    select log_number, cluster, topic, partition, word_offset, open_bits
    from open_words
    where not is_crowded
),

crowded_words as (
    select log_number, cluster, topic, partition, word_offset
    from open_words
    where is_crowded
)

select
    sole_words.log_number,
    acks.record_offset,
    acks.record_id,
    false as is_crowded,
    acks.acked_us as first_acked_us
from acks
inner join sole_words
    on
        sole_words.cluster = acks.cluster
        and sole_words.topic = acks.topic
        and sole_words.partition = acks.partition
        and sole_words.word_offset = word_of(acks.record_offset)
where acks.outcome = 'acked' and sole_words.open_bits & offset_bit(acks.record_offset) <> 0
union all
select
    crowded_words.log_number,
    acks.record_offset,
    case when count(*) = 1 then min(acks.record_id) end as record_id,
    count(*) > 1 as is_crowded,
    min(acks.acked_us) as first_acked_us
from acks
inner join crowded_words
    on
        crowded_words.cluster = acks.cluster
        and crowded_words.topic = acks.topic
        and crowded_words.partition = acks.partition
        and crowded_words.word_offset = word_of(acks.record_offset)
where acks.outcome = 'acked'
group by crowded_words.log_number, acks.record_offset
