-- Which records does each downstream have to account for that are looked at one by one?
-- Measure: M1
-- Grain: one row per (downstream, record) that is open, or matched by record_id
-- Reads: open_records, ledger_pages, identified_records
-- Parameters: none
-- Returns:
--   downstream varchar  downstream that must apply it
--   cluster varchar  cluster the record stands on
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset
--   record_id varchar  identity, null if it has none
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   page_number integer  row of the ledger where it stands
--   record_key varchar  the identity where the coordinates alone do not tell the record, else null
-- Method: With match offset, a record is its coordinates and identity. With match record_id, all coordinates of one
--   identity are one record, standing at the coordinates acknowledged first (ties: cluster, topic, partition, offset).
select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    open_records.record_offset,
    open_records.record_id,
    open_records.first_acked_us,
    open_records.last_acked_us,
    ledger_pages.page_number,
    open_records.record_key
from open_records
inner join ledger_pages on ledger_pages.log_number = open_records.log_number
where ledger_pages.match_by = 'offset' or open_records.record_id is null
union all
select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    identified_records.record_offset,
    identified_records.record_id,
    identified_records.first_acked_us,
    identified_records.last_acked_us,
    ledger_pages.page_number,
    identified_records.record_key
from identified_records
inner join ledger_pages on ledger_pages.page_number = identified_records.page_number
