-- Is each record of a downstream that matches by record_id missing from every log it was acknowledged into?
-- Measure: M2
-- Grain: one row per (downstream, record_id) that a scan can judge somewhere
-- Reads: acked_records, acked_log_states, ledger_pages
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   record_id varchar  identity of the record
--   is_log_missing boolean  whether it was judged at every one of its coordinates and is missing from all
--   is_overwritten boolean  whether another record stands at one of its places
-- Method: Present at one place, or not judged at one, is not missing; the latter without a presence is not judged at all.
with places as (
    select
        ledger_pages.downstream,
        acked_records.record_id,
        acked_log_states.is_missing,
        acked_log_states.is_overwritten
    from acked_records
    inner join ledger_pages on ledger_pages.log_number = acked_records.log_number
    left join acked_log_states
        on
            acked_log_states.log_number = acked_records.log_number
            and acked_log_states.record_offset = acked_records.record_offset
            and acked_log_states.record_id = acked_records.record_id
    where ledger_pages.match_by = 'record_id' and acked_records.record_id is not null
),

identities as (
    select
        downstream,
        record_id,
        max(case when is_missing then 1 else 0 end) as missing,
        max(case when is_missing is null then 1 else 0 end) as unjudged,
        max(case when is_missing = false then 1 else 0 end) as present,
        max(case when is_overwritten then 1 else 0 end) as overwritten
    from places
    group by downstream, record_id
)

select
    downstream,
    record_id,
    present = 0 as is_log_missing,
    present = 0 and overwritten = 1 as is_overwritten
from identities
where present = 1 or (unjudged = 0 and missing = 1)
