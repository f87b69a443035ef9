-- How many unapplied records might be lost without a scan that could tell?
-- Measure: M2
-- Grain: one row per downstream
-- Reads: fates, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   records bigint  not applied, counted as skipped, pending or filtered, on a partition or offset no scan judged
-- Method: Their fate stands on the commits alone; a scan might still show them missing from the log.
select
    drill_downstreams.downstream,
    cast(coalesce(sum(case
        when fates.applied_rows = 0 and not fates.is_log_judged and not fates.is_away
            and fates.fate in ('skipped', 'pending', 'filtered') then 1
        else 0
    end), 0) as bigint) as records
from drill_downstreams
left join fates on fates.downstream = drill_downstreams.downstream
where drill_downstreams.is_declared
group by drill_downstreams.downstream
