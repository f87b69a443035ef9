-- Which records does each downstream that matches by record_id have to account for?
-- Measure: M1
-- Grain: one row per (downstream, record_id)
-- Reads: acked_records, ledger_pages
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where it stands
--   downstream varchar  downstream that must apply it
--   record_offset bigint  offset where it stands
--   record_id varchar  identity
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: All coordinates of one identity are one record, standing at the coordinates acknowledged first (ties:
--   cluster, topic, partition, offset). Logs are numbered in that order.
with ranked as (
    select
        ledger_pages.page_number,
        ledger_pages.downstream,
        acked_records.record_offset,
        acked_records.record_id,
        min(acked_records.first_acked_us)
            over (partition by ledger_pages.downstream, acked_records.record_id) as first_acked_us,
        max(acked_records.last_acked_us)
            over (partition by ledger_pages.downstream, acked_records.record_id) as last_acked_us,
        row_number() over (
            partition by ledger_pages.downstream, acked_records.record_id
            order by acked_records.first_acked_us, acked_records.log_number, acked_records.record_offset
        ) as place
    from acked_records
    inner join ledger_pages on ledger_pages.log_number = acked_records.log_number
    where ledger_pages.match_by = 'record_id' and acked_records.record_id is not null
)

select page_number, downstream, record_offset, record_id, first_acked_us, last_acked_us
from ranked
where place = 1
