-- Which effects were captured more than once, each once?
-- Measure: M1
-- Grain: one row per (downstream, application_id) with several applied rows
-- Reads: applied
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   application_id varchar  identity of the effect itself
--   cluster varchar  source cluster
--   topic varchar  source topic
--   partition integer  source partition
--   record_offset bigint  source offset
--   record_id varchar  identity of the record
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: The earliest of the rows with one application_id (ties: the least coordinates, identity, ordinal).
with repeated as (
    select downstream, application_id
    from applied
    where application_id is not null
    group by downstream, application_id
    having count(*) > 1
),

ranked as (
    select
        applied.downstream,
        applied.application_id,
        applied.cluster,
        applied.topic,
        applied.partition,
        applied.record_offset,
        applied.record_id,
        applied.ordinal,
        applied.applied_us,
        row_number() over (
            partition by applied.downstream, applied.application_id
            order by
                applied.applied_us,
                applied.cluster nulls last,
                applied.topic nulls last,
                applied.partition nulls last,
                applied.record_offset nulls last,
                applied.record_id nulls last,
                applied.ordinal nulls last
        ) as capture
    from applied
    inner join repeated
        on repeated.downstream = applied.downstream and repeated.application_id = applied.application_id
)

select downstream, application_id, cluster, topic, partition, record_offset, record_id, ordinal, applied_us
from ranked
where capture = 1
