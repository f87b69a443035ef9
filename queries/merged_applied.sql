-- Which applied rows were captured, each once?
-- Measure: M1
-- Grain: one row per effect, as captured
-- Reads: applied, repeated_effects
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster
--   topic varchar  source topic
--   partition integer  source partition
--   record_offset bigint  source offset
--   record_id varchar  identity of the record
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: Rows with one application_id count once (the earliest).
select
    applied.downstream, applied.cluster, applied.topic, applied.partition, applied.record_offset,
    applied.record_id, applied.ordinal, applied.applied_us
from applied
left join repeated_effects
    on
        repeated_effects.downstream = applied.downstream
        and repeated_effects.application_id = applied.application_id
where repeated_effects.downstream is null
union all
select downstream, cluster, topic, partition, record_offset, record_id, ordinal, applied_us
from repeated_effects
