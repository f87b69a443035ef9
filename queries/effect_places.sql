-- Which effects are there at the places of records, in downstreams whose effects have places?
-- Measure: M1
-- Grain: one row per effect of a source that took acknowledged records, or whose identity was acknowledged once
-- Reads: merged_applied, effect_sources, located_effects
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   record_offset bigint  source offset, or where the identity was acknowledged
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: By the names of their source, or by identity. At a settled offset these are all the effects of its record.
select effect_sources.page_number, merged_applied.record_offset, merged_applied.applied_us
from merged_applied
inner join effect_sources
    on
        effect_sources.source_hash = source_hash(
            merged_applied.downstream, merged_applied.cluster, merged_applied.topic, merged_applied.partition
        )
where merged_applied.record_offset is not null
union all
select page_number, record_offset, applied_us
from located_effects
