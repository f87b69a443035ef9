-- How many unapplied records might be lost without a scan that could tell?
-- Measure: M2
-- Grain: one row per downstream
-- Reads: record_fates, ledger_pages, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   records bigint  not applied, counted as skipped, pending or filtered, on a partition or offset no scan judged
-- Method: Their fate stands on the commits alone; a scan might still show them missing from the log.
with unscanned as (
    select page_number, count(*) as records
    from record_fates
    where applied_rows = 0 and not is_log_judged and not is_away and fate in ('skipped', 'pending', 'filtered')
    group by page_number
)

select
    drill_downstreams.downstream,
    cast(coalesce(sum(unscanned.records), 0) as bigint) as records
from drill_downstreams
left join ledger_pages on ledger_pages.downstream = drill_downstreams.downstream
left join unscanned on unscanned.page_number = ledger_pages.page_number
where drill_downstreams.is_declared
group by drill_downstreams.downstream
