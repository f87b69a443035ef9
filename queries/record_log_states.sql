-- Is each record of a downstream missing from the log it was acknowledged into?
-- Measure: M2
-- Grain: one row per (downstream, record) that is open, or matched by record_id, that a scan can judge
-- Reads: open_log_states, ledger_pages, identified_records, identity_log_states
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where the record stands
--   record_offset bigint  offset of the record
--   record_key varchar  identity of the record where the coordinates alone do not tell it, else null
--   is_log_missing boolean  whether the log does not hold it (match record_id: at none of its coordinates)
--   is_overwritten boolean  whether another record stands at its place
-- Method: With match offset the state of its coordinates, with match record_id that of its identity.
select
    ledger_pages.page_number,
    open_log_states.record_offset,
    open_log_states.record_key,
    open_log_states.is_missing as is_log_missing,
    open_log_states.is_overwritten
from open_log_states
inner join ledger_pages on ledger_pages.log_number = open_log_states.log_number
where ledger_pages.match_by = 'offset' or open_log_states.record_id is null
union all
select
    identified_records.page_number,
    identified_records.record_offset,
    identified_records.record_key,
    identity_log_states.is_log_missing,
    identity_log_states.is_overwritten
from identified_records
inner join identity_log_states
    on
        identity_log_states.downstream = identified_records.downstream
        and identity_log_states.record_id = identified_records.record_id
