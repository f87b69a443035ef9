-- Which offsets did the brokers acknowledge in open words, and where is there more than one acknowledgement to compare?
-- Measure: M1
-- Grain: one row per (log_number, record_offset) in an open word
-- Reads: acks, open_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the one record there; null if it has none or the place is crowded
--   is_crowded boolean  whether several rows were captured: one record twice, or several records
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
-- Method: Grouped by coordinates alone. What stands at crowded places is told apart by crowded_records.
select
    open_words.log_number,
    acks.record_offset,
    case when count(*) = 1 then min(acks.record_id) end as record_id,
    count(*) > 1 as is_crowded,
    min(acks.acked_us) as first_acked_us
from acks
inner join open_words
    on
        open_words.cluster = acks.cluster
        and open_words.topic = acks.topic
        and open_words.partition = acks.partition
        and open_words.word_offset = word_of(acks.record_offset)
where acks.outcome = 'acked'
group by open_words.log_number, acks.record_offset
