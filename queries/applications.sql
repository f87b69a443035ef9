-- To which acknowledged record does each effect belong?
-- Measure: M1
-- Grain: one row per effect
-- Reads: applied_effects, placed_effects, drill_downstreams, acked_places, crowded_records, identified_records
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster of the effect
--   topic varchar  source topic
--   partition integer  source partition
--   record_offset bigint  source offset
--   record_id varchar  identity on the effect
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
--   is_matched boolean  whether it belongs to an acknowledged record
--   page_number integer  row of the ledger where that record stands
--   of_record_offset bigint  offset of that record
--   of_record_key varchar  identity of that record where the coordinates alone do not tell it, else null
-- Method: With match offset, by coordinates and, where both sides carry one, by identity. Where several records share
--   coordinates: the one with the same identity, else the one without, and for an effect without identity the one
--   acknowledged last. With match record_id, by identity alone.
with at_sole_records as (
    select
        placed_effects.*,
        acked_places.log_number is not null
        and coalesce(acked_places.record_id = placed_effects.record_id, true) as is_matched
    from placed_effects
    left join acked_places
        on
            acked_places.log_number = placed_effects.log_number
            and acked_places.record_offset = placed_effects.record_offset
    where not coalesce(acked_places.is_crowded, false)
),

ranked_records as (
    select
        crowded_records.*,
        row_number() over (
            partition by crowded_records.log_number, crowded_records.record_offset
            order by crowded_records.last_acked_us desc, crowded_records.record_id desc nulls last
        ) as place
    from crowded_records
),

crowds as (
    select
        log_number,
        record_offset,
        max(case when place = 1 then record_id end) as heir_record_id,
        max(case when record_id is null then 1 else 0 end) as has_idless
    from ranked_records
    group by log_number, record_offset
),

at_crowds as (
    select
        placed_effects.*,
        placed_effects.record_id is null or same.log_number is not null or crowds.has_idless = 1 as is_matched,
        case when placed_effects.record_id is null then crowds.heir_record_id else same.record_id end as of_record_key
    from placed_effects
    inner join crowds
        on
            crowds.log_number = placed_effects.log_number
            and crowds.record_offset = placed_effects.record_offset
    left join crowded_records as same
        on
            same.log_number = placed_effects.log_number
            and same.record_offset = placed_effects.record_offset
            and same.record_id = placed_effects.record_id
)

select
    downstream, cluster, topic, partition, record_offset, record_id, ordinal, applied_us, is_matched,
    case when is_matched then page_number end as page_number,
    case when is_matched then record_offset end as of_record_offset,
    cast(null as varchar(1)) as of_record_key
from at_sole_records
union all
select
    downstream, cluster, topic, partition, record_offset, record_id, ordinal, applied_us, is_matched,
    case when is_matched then page_number end as page_number,
    case when is_matched then record_offset end as of_record_offset,
    case when is_matched then of_record_key end as of_record_key
from at_crowds
union all
select
    applied_effects.downstream,
    applied_effects.cluster,
    applied_effects.topic,
    applied_effects.partition,
    applied_effects.record_offset,
    applied_effects.record_id,
    applied_effects.ordinal,
    applied_effects.applied_us,
    identified_records.page_number is not null as is_matched,
    identified_records.page_number,
    identified_records.record_offset as of_record_offset,
    identified_records.record_id as of_record_key
from applied_effects
inner join drill_downstreams on drill_downstreams.downstream = applied_effects.downstream
left join identified_records
    on
        identified_records.downstream = applied_effects.downstream
        and identified_records.record_id = applied_effects.record_id
where drill_downstreams.match_by = 'record_id'
