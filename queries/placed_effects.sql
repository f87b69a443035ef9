-- On which row of the ledger does each effect name its source?
-- Measure: M1
-- Grain: one row per effect of a downstream that matches by offset
-- Reads: applied_effects, drill_downstreams, ledger_pages
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster
--   topic varchar  source topic
--   partition integer  source partition
--   record_offset bigint  source offset
--   record_id varchar  identity on the effect
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
--   page_number integer  row of the ledger, null where that log took no acknowledged record
--   log_number integer  number of the log, null likewise
-- Method: By the names of downstream, cluster, topic and partition.
select
    applied_effects.downstream,
    applied_effects.cluster,
    applied_effects.topic,
    applied_effects.partition,
    applied_effects.record_offset,
    applied_effects.record_id,
    applied_effects.ordinal,
    applied_effects.applied_us,
    ledger_pages.page_number,
    ledger_pages.log_number
from applied_effects
inner join drill_downstreams on drill_downstreams.downstream = applied_effects.downstream
left join ledger_pages
    on
        ledger_pages.downstream = applied_effects.downstream
        and ledger_pages.cluster = applied_effects.cluster
        and ledger_pages.topic = applied_effects.topic
        and ledger_pages.partition = applied_effects.partition
where drill_downstreams.match_by = 'offset'
