-- What became of each acknowledged record in each downstream?
-- Measure: M1, M2
-- Grain: one row per (downstream, record); exactly one fate each
-- Reads: record_fates, ledger_pages, settled_pages, acks, merged_applied, located_effects, sole_clusters, group_homes
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  cluster of the record
--   topic varchar  physical topic of the record
--   partition integer  partition of the record
--   record_offset bigint  offset of the record
--   record_id varchar  identity of the record
--   fate varchar  once, duplicated, lost, skipped, pending, filtered or unresolved
--   applied_rows bigint  n: applied rows; with delivery many the largest count over one ordinal
--   distinct_applied bigint  distinct (record, ordinal) applied
--   effects bigint  all applied rows of the record
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
--   is_log_missing boolean  whether its own cluster's log does not hold it
--   is_log_judged boolean  whether a scan can tell
--   is_overwritten boolean  whether another record stands at its place
--   is_away boolean  whether the group ended on another cluster than the record's
-- Method: record_fates with the names of the ledger row that each record stands on, and every settled record:
--   acknowledged once, and applied once.
select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    record_fates.record_offset,
    record_fates.record_id,
    record_fates.fate,
    cast(record_fates.applied_rows as bigint) as applied_rows,
    cast(record_fates.distinct_applied as bigint) as distinct_applied,
    cast(record_fates.effects as bigint) as effects,
    record_fates.first_acked_us,
    record_fates.last_acked_us,
    record_fates.first_applied_us,
    record_fates.last_applied_us,
    record_fates.is_log_missing,
    record_fates.is_log_judged,
    record_fates.is_overwritten,
    record_fates.is_away
from record_fates
inner join ledger_pages on ledger_pages.page_number = record_fates.page_number
union all
select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    acks.record_offset,
    acks.record_id,
    settled_pages.fate,
    cast(settled_pages.applied_rows as bigint) as applied_rows,
    cast(settled_pages.applied_rows as bigint) as distinct_applied,
    cast(settled_pages.applied_rows as bigint) as effects,
    acks.acked_us as first_acked_us,
    acks.acked_us as last_acked_us,
    merged_applied.applied_us as first_applied_us,
    merged_applied.applied_us as last_applied_us,
    false as is_log_missing,
    settled_pages.is_log_judged,
    false as is_overwritten,
    coalesce(group_homes.cluster <> ledger_pages.cluster, false) as is_away
from acks
inner join ledger_pages
    on
        ledger_pages.cluster = acks.cluster
        and ledger_pages.topic = acks.topic
        and ledger_pages.partition = acks.partition
inner join settled_pages
    on
        settled_pages.page_number = ledger_pages.page_number
        and settled_pages.word_offset = word_of(acks.record_offset)
        and settled_pages.settled_bits & offset_bit(acks.record_offset) <> 0
left join group_homes on group_homes.group_id = ledger_pages.group_id
left join sole_clusters
    on sole_clusters.downstream = ledger_pages.downstream and sole_clusters.topic = ledger_pages.topic
left join merged_applied
    on
        merged_applied.downstream = ledger_pages.downstream
        and coalesce(merged_applied.cluster, sole_clusters.cluster) = ledger_pages.cluster
        and merged_applied.topic = ledger_pages.topic
        and merged_applied.partition = ledger_pages.partition
        and merged_applied.record_offset = acks.record_offset
where acks.outcome = 'acked' and ledger_pages.match_by = 'offset'
union all
select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    acks.record_offset,
    acks.record_id,
    settled_pages.fate,
    cast(settled_pages.applied_rows as bigint) as applied_rows,
    cast(settled_pages.applied_rows as bigint) as distinct_applied,
    cast(settled_pages.applied_rows as bigint) as effects,
    acks.acked_us as first_acked_us,
    acks.acked_us as last_acked_us,
    located_effects.applied_us as first_applied_us,
    located_effects.applied_us as last_applied_us,
    false as is_log_missing,
    settled_pages.is_log_judged,
    false as is_overwritten,
    coalesce(group_homes.cluster <> ledger_pages.cluster, false) as is_away
from acks
inner join ledger_pages
    on
        ledger_pages.cluster = acks.cluster
        and ledger_pages.topic = acks.topic
        and ledger_pages.partition = acks.partition
inner join settled_pages
    on
        settled_pages.page_number = ledger_pages.page_number
        and settled_pages.word_offset = word_of(acks.record_offset)
        and settled_pages.settled_bits & offset_bit(acks.record_offset) <> 0
left join group_homes on group_homes.group_id = ledger_pages.group_id
inner join located_effects
    on
        located_effects.page_number = ledger_pages.page_number
        and located_effects.record_offset = acks.record_offset
where acks.outcome = 'acked' and ledger_pages.match_by = 'record_id'
