-- Which open offsets did the brokers acknowledge, and where is there more than one acknowledgement to compare?
-- Measure: M1
-- Grain: one row per (log_number, record_offset) that is open
-- Reads: sought_acks, open_words
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the one record there; null if it has none or the place is crowded
--   is_crowded boolean  whether several rows were captured: one record twice, or several records
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
-- Method: Row by row where the word has as many rows as offsets, else grouped by coordinates alone. What stands at crowded
--   places is told apart by crowded_records.
with open_acks as (
    select
        sought_acks.log_number, sought_acks.record_offset, sought_acks.record_id, sought_acks.acked_us,
        open_words.is_crowded
    from sought_acks
    inner join open_words
        on
            open_words.log_number = sought_acks.log_number
            and open_words.word_offset = word_of(sought_acks.record_offset)
    where open_words.open_bits & offset_bit(sought_acks.record_offset) <> 0
)

select log_number, record_offset, record_id, false as is_crowded, acked_us as first_acked_us
from open_acks
where not is_crowded
union all
select
    log_number,
    record_offset,
    case when count(*) = 1 then min(record_id) end as record_id,
    count(*) > 1 as is_crowded,
    min(acked_us) as first_acked_us
from open_acks
where is_crowded
group by log_number, record_offset
