-- Is each record of a downstream missing from the log it was acknowledged into?
-- Measure: M2
-- Grain: one row per (downstream, record) that a scan can judge
-- Reads: records, acked_records, acked_log_states, downstream_topics, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  cluster of the record
--   topic varchar  topic of the record
--   partition integer  partition of the record
--   record_offset bigint  offset of the record
--   record_id varchar  identity of the record
--   is_log_missing boolean  whether the log does not hold it (match record_id: at none of its coordinates)
--   is_overwritten boolean  whether another record stands at its place
-- Method: With match record_id a record is missing only if every one of its coordinates was judged and is missing.
with by_offset as (
    select
        records.downstream,
        records.cluster,
        records.topic,
        records.partition,
        records.record_offset,
        records.record_id,
        acked_log_states.is_missing as is_log_missing,
        acked_log_states.is_overwritten
    from records
    inner join drill_downstreams on drill_downstreams.downstream = records.downstream
    inner join acked_log_states
        on
            acked_log_states.cluster = records.cluster
            and acked_log_states.topic = records.topic
            and acked_log_states.partition = records.partition
            and acked_log_states.record_offset = records.record_offset
            and acked_log_states.record_id is not distinct from records.record_id
    where drill_downstreams.match_by = 'offset' or records.record_id is null
),

judged_identities as (
    select distinct
        downstream_topics.downstream,
        acked_log_states.record_id
    from acked_log_states
    inner join downstream_topics
        on
            downstream_topics.cluster = acked_log_states.cluster
            and downstream_topics.topic = acked_log_states.topic
    inner join drill_downstreams on drill_downstreams.downstream = downstream_topics.downstream
    where drill_downstreams.match_by = 'record_id' and acked_log_states.record_id is not null
),

identities as (
    select
        judged_identities.downstream,
        judged_identities.record_id,
        max(case when coalesce(not acked_log_states.is_missing, true) then 1 else 0 end) as somewhere,
        max(case when acked_log_states.is_missing is null then 1 else 0 end) as unjudged,
        max(case when acked_log_states.is_missing = false then 1 else 0 end) as present,
        max(case when acked_log_states.is_overwritten then 1 else 0 end) as overwritten
    from judged_identities
    inner join downstream_topics on downstream_topics.downstream = judged_identities.downstream
    inner join acked_records
        on
            acked_records.cluster = downstream_topics.cluster
            and acked_records.topic = downstream_topics.topic
            and acked_records.record_id = judged_identities.record_id
    left join acked_log_states
        on
            acked_log_states.cluster = acked_records.cluster
            and acked_log_states.topic = acked_records.topic
            and acked_log_states.partition = acked_records.partition
            and acked_log_states.record_offset = acked_records.record_offset
            and acked_log_states.record_id = acked_records.record_id
    group by judged_identities.downstream, judged_identities.record_id
)

select
    downstream, cluster, topic, partition, record_offset, record_id, is_log_missing, is_overwritten
from by_offset
union all
select
    records.downstream,
    records.cluster,
    records.topic,
    records.partition,
    records.record_offset,
    records.record_id,
    identities.somewhere = 0 as is_log_missing,
    identities.somewhere = 0 and identities.overwritten = 1 as is_overwritten
from records
inner join identities
    on identities.downstream = records.downstream and identities.record_id = records.record_id
where identities.present = 1 or identities.unjudged = 0
