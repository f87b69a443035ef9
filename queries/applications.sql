-- To which acknowledged record does each effect that is not of a settled record belong?
-- Measure: M1
-- Grain: one row per effect of a downstream that matches by offset, at an open offset of a word with open records
-- Reads: placed_effects, open_places, crowded_records
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where the effect names its source
--   record_offset bigint  offset of that source
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
--   is_matched boolean  whether it belongs to an acknowledged record, which stands at the same place
--   record_key varchar  identity of that record where the coordinates alone do not tell it, else null
-- Method: By coordinates and, where both sides carry one, by identity. Where several records share coordinates: the one
--   with the same identity, else the one without, and for an effect without identity the one acknowledged last.
with open_effects as (
    select page_number, log_number, record_offset, record_id, ordinal, applied_us
    from placed_effects
    where is_open
),

at_sole_records as (
    select
        open_effects.*,
        open_places.log_number is not null
        and coalesce(open_places.record_id = open_effects.record_id, true) as is_matched
    from open_effects
    left join open_places
        on
            open_places.log_number = open_effects.log_number
            and open_places.record_offset = open_effects.record_offset
    where not coalesce(open_places.is_crowded, false)
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
        open_effects.*,
        open_effects.record_id is null or same.log_number is not null or crowds.has_idless = 1 as is_matched,
        case when open_effects.record_id is null then crowds.heir_record_id else same.record_id end as record_key
    from open_effects
    inner join crowds
        on
            crowds.log_number = open_effects.log_number
            and crowds.record_offset = open_effects.record_offset
    left join crowded_records as same
        on
            same.log_number = open_effects.log_number
            and same.record_offset = open_effects.record_offset
            and same.record_id = open_effects.record_id
)

select page_number, record_offset, ordinal, applied_us, is_matched, cast(null as varchar(1)) as record_key
from at_sole_records
union all
select
    page_number, record_offset, ordinal, applied_us, is_matched,
    case when is_matched then record_key end as record_key
from at_crowds
