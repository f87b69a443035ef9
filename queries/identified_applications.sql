-- Which effects are there of each record that is looked at one by one and matched by record_id?
-- Measure: M1
-- Grain: one row per effect of such a record
-- Reads: located_effects, applied_effects, identified_records
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where the record stands
--   record_offset bigint  offset of the record
--   record_key varchar  identity of the record where the coordinates alone do not tell it, else null
--   applied_us bigint  when the effect became visible, microseconds since the epoch
-- Method: By place where located_effects tells it; else by identity, wherever the effect says it comes from.
with unlocated as (
    select downstream, record_id, page_number, record_offset, record_key
    from identified_records
    where not is_located
)

select
    located_effects.page_number, located_effects.record_offset,
    cast(null as varchar(1)) as record_key,
    located_effects.applied_us
from located_effects
inner join identified_records
    on
        identified_records.page_number = located_effects.page_number
        and identified_records.record_offset = located_effects.record_offset
where identified_records.is_located
union all
select unlocated.page_number, unlocated.record_offset, unlocated.record_key, applied_effects.applied_us
from applied_effects
inner join unlocated
    on unlocated.downstream = applied_effects.downstream and unlocated.record_id = applied_effects.record_id
