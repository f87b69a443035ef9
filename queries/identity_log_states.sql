-- Is each record of a downstream that matches by record_id missing from every log it was acknowledged into?
-- Measure: M2
-- Grain: one row per (downstream, record_id) that is not settled and that a scan can judge somewhere
-- Reads: open_records, ledger_pages, latest_scans, open_log_states
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   record_id varchar  identity
--   is_log_missing boolean  whether no log holds it
--   is_overwritten boolean  whether another record stands at one of its places
-- Method: Present at one place, or not judged at one, is not missing; the latter without a presence is not judged at all.
--   Of an identity that is not settled, no place is.
with scanned as (
    select count(*) as scans from latest_scans
),

places as (
    select
        ledger_pages.downstream, open_records.record_id, open_log_states.is_missing, open_log_states.is_overwritten
    from open_records
    inner join ledger_pages on ledger_pages.log_number = open_records.log_number
    inner join scanned on scanned.scans > 0
    left join open_log_states
        on
            open_log_states.log_number = open_records.log_number
            and open_log_states.record_offset = open_records.record_offset
            and open_log_states.record_id = open_records.record_id
    where ledger_pages.match_by = 'record_id' and open_records.record_id is not null
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
