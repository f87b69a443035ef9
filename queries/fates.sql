-- What became of each acknowledged record in each downstream?
-- Measure: M1, M2
-- Grain: one row per (downstream, record); exactly one fate each
-- Reads: record_fates, ledger_pages, settled_pages, effect_places, placed_effects, acks, group_homes
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
--   acknowledged once, and applied once or twice.
with settled_records as (
    select
        ledger_pages.page_number, ledger_pages.group_id, ledger_pages.downstream,
        ledger_pages.cluster, ledger_pages.topic, ledger_pages.partition,
        acks.record_offset, acks.record_id, acks.acked_us,
        settled_pages.is_applied, settled_pages.is_log_judged,
        settled_pages.twice_bits & offset_bit(acks.record_offset) <> 0 as is_twice
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
    where acks.outcome = 'acked' and settled_pages.settled_bits & offset_bit(acks.record_offset) <> 0
),

twice as (
    select
        page_number, record_offset, min(applied_us) as first_applied_us, max(applied_us) as last_applied_us
    from placed_effects
    where not is_open
    group by page_number, record_offset
),

settled_fates as (
    select
        settled_records.*,
        case when not settled_records.is_applied then 0 when settled_records.is_twice then 2 else 1 end as applied_rows,
        coalesce(twice.first_applied_us, effect_places.applied_us) as first_applied_us,
        coalesce(twice.last_applied_us, effect_places.applied_us) as last_applied_us
    from settled_records
    left join effect_places
        on
            effect_places.page_number = settled_records.page_number
            and effect_places.record_offset = settled_records.record_offset
            and not settled_records.is_twice
    left join twice
        on
            twice.page_number = settled_records.page_number
            and twice.record_offset = settled_records.record_offset
            and settled_records.is_twice
)

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
    settled_fates.downstream,
    settled_fates.cluster,
    settled_fates.topic,
    settled_fates.partition,
    settled_fates.record_offset,
    settled_fates.record_id,
    case settled_fates.applied_rows when 0 then 'unresolved' when 1 then 'once' else 'duplicated' end as fate,
    cast(settled_fates.applied_rows as bigint) as applied_rows,
    cast(case when settled_fates.is_applied then 1 else 0 end as bigint) as distinct_applied,
    cast(settled_fates.applied_rows as bigint) as effects,
    settled_fates.acked_us as first_acked_us,
    settled_fates.acked_us as last_acked_us,
    settled_fates.first_applied_us,
    settled_fates.last_applied_us,
    false as is_log_missing,
    settled_fates.is_log_judged,
    false as is_overwritten,
    coalesce(group_homes.cluster <> settled_fates.cluster, false) as is_away
from settled_fates
left join group_homes on group_homes.group_id = settled_fates.group_id
