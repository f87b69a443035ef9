-- Which records of the flow did the brokers acknowledge that are not settled, and where?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition, record_offset, record_id) that is open
-- Reads: open_places, acked_logs, crowded_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster that acknowledged it
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity of the record, null if it has none
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   log_number integer  number of its log
--   record_key varchar  the identity where the coordinates alone do not tell the record, else null
-- Method: Acknowledged rows that share coordinates and identity are one record, however often they were captured.
with numbered as (
    select log_number, record_offset, record_id, first_acked_us, first_acked_us as last_acked_us,
        cast(null as varchar(1)) as record_key
    from open_places
    where not is_crowded
    union all
    select log_number, record_offset, record_id, first_acked_us, last_acked_us, record_id as record_key
    from crowded_records
)

select
    acked_logs.cluster,
    acked_logs.topic,
    acked_logs.partition,
    numbered.record_offset,
    numbered.record_id,
    numbered.first_acked_us,
    numbered.last_acked_us,
    numbered.log_number,
    numbered.record_key
from numbered
inner join acked_logs on acked_logs.log_number = numbered.log_number
