-- To which acknowledged record does each effect of a downstream that matches by record_id belong?
-- Measure: M1
-- Grain: one row per effect of a downstream that matches by record_id
-- Reads: applied_effects, drill_downstreams, identified_records
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster that the effect names, null if its coordinates are incomplete
--   topic varchar  source topic, null likewise
--   partition integer  source partition, null likewise
--   record_offset bigint  source offset, null likewise
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
--   page_number integer  row of the ledger where its record stands, null if it belongs to none
--   of_record_offset bigint  offset of that record, null likewise
--   record_key varchar  identity of that record where the coordinates alone do not tell it, else null
-- Method: By identity alone, wherever the effect says it comes from.
select
    applied_effects.downstream,
    applied_effects.cluster,
    applied_effects.topic,
    applied_effects.partition,
    applied_effects.record_offset,
    applied_effects.ordinal,
    applied_effects.applied_us,
    identified_records.page_number,
    identified_records.record_offset as of_record_offset,
    identified_records.record_key
from applied_effects
inner join drill_downstreams on drill_downstreams.downstream = applied_effects.downstream
left join identified_records
    on
        identified_records.downstream = applied_effects.downstream
        and identified_records.record_id = applied_effects.record_id
where drill_downstreams.match_by = 'record_id'
