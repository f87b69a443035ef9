-- Which records were acknowledged at the places where several acknowledgements were captured?
-- Measure: M1
-- Grain: one row per (log_number, record_offset, record_id)
-- Reads: acks, crowded_places
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the record, null if it has none
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: Acknowledged rows that share coordinates and identity are one record, however often they were captured.
select
    crowded_places.log_number,
    crowded_places.record_offset,
    acks.record_id,
    min(acks.acked_us) as first_acked_us,
    max(acks.acked_us) as last_acked_us
from acks
inner join crowded_places
    on
        crowded_places.cluster = acks.cluster
        and crowded_places.topic = acks.topic
        and crowded_places.partition = acks.partition
        and crowded_places.record_offset = acks.record_offset
where acks.outcome = 'acked'
group by crowded_places.log_number, crowded_places.record_offset, acks.record_id
