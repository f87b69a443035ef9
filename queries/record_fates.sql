-- What became of each acknowledged record that is looked at one by one, by number?
-- Measure: M1, M2
-- Grain: one row per (downstream, record) that is open, or matched by record_id; exactly one fate each
-- Reads: records, record_effects, record_log_states, ledger_pages, drill_downstreams, group_homes, final_commits, home_places, log_scans
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where the record stands
--   record_offset bigint  offset of the record
--   record_id varchar  identity of the record
--   fate varchar  once, duplicated, lost, skipped, pending, filtered or unresolved
--   applied_rows integer  n: applied rows; with delivery many the largest count over one ordinal
--   distinct_applied integer  distinct (record, ordinal) applied
--   effects integer  all applied rows of the record
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
--   is_log_missing boolean  whether its own cluster's log does not hold it
--   is_log_judged boolean  whether a scan can tell
--   is_overwritten boolean  whether another record stands at its place
--   is_away boolean  whether the group ended on another cluster than the record's
-- Method: Applied records are once or duplicated. Of the others, where the group stayed: lost if missing from the log,
--   else skipped or pending by the final committed offset. Where it moved: lost if the scanned home cluster does not
--   hold the identity, else skipped or pending by its offset there. Everything the evidence does not tell is unresolved.
with scanned_clusters as (
    select distinct cluster from log_scans
),

pages as (
    select
        ledger_pages.*,
        group_homes.cluster as home_cluster,
        coalesce(group_homes.cluster <> ledger_pages.cluster, false) as is_away,
        scanned_clusters.cluster is not null as is_home_scanned,
        final_commits.committed_offset as own_committed_offset
    from ledger_pages
    left join group_homes on group_homes.group_id = ledger_pages.group_id
    left join scanned_clusters on scanned_clusters.cluster = group_homes.cluster
    left join final_commits
        on
            final_commits.group_id = ledger_pages.group_id
            and final_commits.cluster = ledger_pages.cluster
            and final_commits.topic = ledger_pages.topic
            and final_commits.partition = ledger_pages.partition
),

home_records as (
    select
        home_places.downstream,
        home_places.record_id,
        home_places.own_cluster,
        home_places.record_offset,
        final_commits.committed_offset
    from home_places
    inner join drill_downstreams on drill_downstreams.downstream = home_places.downstream
    left join final_commits
        on
            final_commits.group_id = drill_downstreams.group_id
            and final_commits.cluster = home_places.cluster
            and final_commits.topic = home_places.topic
            and final_commits.partition = home_places.partition
),

joined as (
    select
        records.page_number,
        records.record_offset,
        records.record_id,
        records.first_acked_us,
        records.last_acked_us,
        coalesce(record_effects.applied_rows, 0) as applied_rows,
        coalesce(record_effects.distinct_applied, 0) as distinct_applied,
        coalesce(record_effects.effects, 0) as effects,
        record_effects.first_applied_us,
        record_effects.last_applied_us,
        coalesce(record_log_states.is_log_missing, false) as is_log_missing,
        record_log_states.page_number is not null as is_log_judged,
        coalesce(record_log_states.is_overwritten, false) as is_overwritten,
        pages.match_by = 'record_id' and records.record_id is null as is_unmatchable,
        pages.delivery = 'at_most_one' as is_filtering,
        pages.home_cluster,
        pages.is_away,
        pages.is_home_scanned,
        pages.own_committed_offset,
        home_records.record_offset as home_record_offset,
        home_records.committed_offset as home_committed_offset
    from records
    inner join pages on pages.page_number = records.page_number
    left join record_effects
        on
            record_effects.page_number = records.page_number
            and record_effects.record_offset = records.record_offset
            and record_effects.record_key is not distinct from records.record_key
    left join record_log_states
        on
            record_log_states.page_number = records.page_number
            and record_log_states.record_offset = records.record_offset
            and record_log_states.record_key is not distinct from records.record_key
    left join home_records
        on
            home_records.downstream = pages.downstream
            and home_records.record_id = records.record_id
            and home_records.own_cluster = pages.cluster
),

passed as (
    select
        joined.*,
        case
            when is_away then home_committed_offset > home_record_offset
            else own_committed_offset > record_offset
        end as is_passed
    from joined
)

select
    page_number,
    record_offset,
    record_id,
    case
        when is_unmatchable then 'unresolved'
        when applied_rows = 1 then 'once'
        when applied_rows >= 2 then 'duplicated'
        when home_cluster is null then case when is_log_missing then 'lost' else 'unresolved' end
        when not is_away and is_log_missing then 'lost'
        when is_away and (record_id is null or not is_home_scanned) then 'unresolved'
        when is_away and home_record_offset is null then 'lost'
        when is_passed is null then 'unresolved'
        when is_passed and is_filtering then 'filtered'
        when is_passed then 'skipped'
        else 'pending'
    end as fate,
    applied_rows,
    distinct_applied,
    effects,
    first_acked_us,
    last_acked_us,
    first_applied_us,
    last_applied_us,
    is_log_missing,
    is_log_judged,
    is_overwritten,
    is_away
from passed
