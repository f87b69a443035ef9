-- Which offsets of each log did the brokers acknowledge, and where is there more than one acknowledgement to compare?
-- Measure: M1
-- Grain: one row per (log_number, record_offset)
-- Reads: acks, acked_logs
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the one record there; null if it has none or the place is crowded
--   is_crowded boolean  whether several rows were captured: one record twice, or several records
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
-- Method: Grouped by coordinates alone. What stands at crowded places is told apart by crowded_records.
select
    acked_logs.log_number,
    acks.record_offset,
    case when count(*) = 1 then min(acks.record_id) end as record_id,
    count(*) > 1 as is_crowded,
    min(acks.acked_us) as first_acked_us
from acks
inner join acked_logs
    on acked_logs.cluster = acks.cluster and acked_logs.topic = acks.topic and acked_logs.partition = acks.partition
where acks.outcome = 'acked'
group by acked_logs.log_number, acks.record_offset
