-- Does every acknowledged record and every applied row have its place in the books?
-- Measure: M3, M4, M5
-- Grain: one row per (downstream, cluster, topic, partition); null coordinates hold effects that carry none
-- Reads: record_fates, settled_pages, ledger_pages, unmatched_effects, reorderings, produced_twice, downstream_topics, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   group_id varchar  group that feeds it
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   acked bigint  acknowledged records
--   once bigint  applied once
--   duplicated bigint  applied twice or more
--   lost bigint  not applied and not in the log where the group ended
--   skipped bigint  not applied although the group committed past it
--   pending bigint  not applied, still backlog
--   filtered bigint  not applied, as the flow filters
--   unresolved bigint  not applied, and the evidence does not tell
--   applied bigint  applied rows
--   distinct_applied bigint  distinct records (with delivery many: record and ordinal) applied
--   extra bigint  applied rows of acknowledged records beyond those
--   unacked bigint  applied rows that belong to no acknowledged record
--   before_capture bigint  applied rows from before or outside the capture, not in applied
--   log_missing bigint  acknowledged records missing from their own cluster's log
--   overwritten bigint  of those, with another record at their place
--   reordered bigint  first applied after a record behind them
--   produced_twice bigint  identities at two or more coordinates of the topic
-- Method: acked = once + duplicated + lost + skipped + pending + filtered + unresolved;
--   applied = distinct_applied + extra + unacked. Both are checked on every run.
with looked_at as (
    select
        page_number,
        count(*) as acked,
        sum(case when fate = 'once' then 1 else 0 end) as once,
        sum(case when fate = 'duplicated' then 1 else 0 end) as duplicated,
        sum(case when fate = 'lost' then 1 else 0 end) as lost,
        sum(case when fate = 'skipped' then 1 else 0 end) as skipped,
        sum(case when fate = 'pending' then 1 else 0 end) as pending,
        sum(case when fate = 'filtered' then 1 else 0 end) as filtered,
        sum(case when fate = 'unresolved' then 1 else 0 end) as unresolved,
        sum(distinct_applied) as distinct_applied,
        sum(effects - distinct_applied) as extra,
        sum(case when is_log_missing then 1 else 0 end) as log_missing,
        sum(case when is_overwritten then 1 else 0 end) as overwritten
    from record_fates
    group by page_number
),

pages as (
    select
        page_number, acked, once, duplicated, lost, skipped, pending, filtered, unresolved,
        distinct_applied, extra, log_missing, overwritten
    from looked_at
    union all
    select
        page_number, sum(records), sum(records - bit_count(twice_bits)), sum(bit_count(twice_bits)), 0, 0, 0, 0, 0,
        sum(records), sum(bit_count(twice_bits)), 0, 0
    from settled_pages
    where is_applied
    group by page_number
),

entries as (
    select
        ledger_pages.downstream, ledger_pages.cluster, ledger_pages.topic, ledger_pages.partition,
        pages.acked, pages.once, pages.duplicated, pages.lost, pages.skipped, pages.pending, pages.filtered,
        pages.unresolved, pages.distinct_applied, pages.extra,
        0 as unacked,
        0 as before_capture,
        pages.log_missing, pages.overwritten,
        0 as reordered,
        0 as produced_twice
    from pages
    inner join ledger_pages on ledger_pages.page_number = pages.page_number
    union all
    select
        downstream, cluster, topic, partition,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, unacked, before_capture, 0, 0, 0, 0
    from unmatched_effects
    union all
    select
        downstream, cluster, topic, partition,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, count(*), 0
    from reorderings
    group by downstream, cluster, topic, partition
    union all
    select
        downstream_topics.downstream, produced_twice.cluster, produced_twice.topic, produced_twice.partition,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, produced_twice.produced_twice
    from produced_twice
    inner join downstream_topics
        on downstream_topics.cluster = produced_twice.cluster and downstream_topics.topic = produced_twice.topic
)

select
    entries.downstream,
    drill_downstreams.group_id,
    entries.cluster,
    entries.topic,
    entries.partition,
    cast(sum(entries.acked) as bigint) as acked,
    cast(sum(entries.once) as bigint) as once,
    cast(sum(entries.duplicated) as bigint) as duplicated,
    cast(sum(entries.lost) as bigint) as lost,
    cast(sum(entries.skipped) as bigint) as skipped,
    cast(sum(entries.pending) as bigint) as pending,
    cast(sum(entries.filtered) as bigint) as filtered,
    cast(sum(entries.unresolved) as bigint) as unresolved,
    cast(sum(entries.distinct_applied + entries.extra + entries.unacked) as bigint) as applied,
    cast(sum(entries.distinct_applied) as bigint) as distinct_applied,
    cast(sum(entries.extra) as bigint) as extra,
    cast(sum(entries.unacked) as bigint) as unacked,
    cast(sum(entries.before_capture) as bigint) as before_capture,
    cast(sum(entries.log_missing) as bigint) as log_missing,
    cast(sum(entries.overwritten) as bigint) as overwritten,
    cast(sum(entries.reordered) as bigint) as reordered,
    cast(sum(entries.produced_twice) as bigint) as produced_twice
from entries
inner join drill_downstreams on drill_downstreams.downstream = entries.downstream
where drill_downstreams.is_declared
group by
    entries.downstream, drill_downstreams.group_id, entries.cluster, entries.topic, entries.partition
