-- Which effects did each downstream show, each once, with the cluster they came from?
-- Measure: M1
-- Grain: one row per effect
-- Reads: applied, repeated_effects, drill_downstreams, sole_clusters
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster; null with topic, partition and offset where any of them is not known
--   topic varchar  source topic
--   partition integer  source partition
--   record_offset bigint  source offset
--   record_id varchar  identity, null if it has none
--   ordinal integer  which of several rows of one record
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: Rows with one application_id count once (the earliest). A null cluster means the only cluster with
--   acknowledged records of that topic; with none or several the coordinates are incomplete.
with effects as (
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
),

located as (
    select
        effects.downstream,
        coalesce(effects.cluster, sole_clusters.cluster) as cluster,
        effects.topic,
        effects.partition,
        effects.record_offset,
        effects.record_id,
        coalesce(effects.ordinal, 0) as ordinal,
        effects.applied_us,
        coalesce(effects.cluster, sole_clusters.cluster) is not null
        and effects.topic is not null
        and effects.partition is not null
        and effects.record_offset is not null as has_coordinates
    from effects
    inner join drill_downstreams on drill_downstreams.downstream = effects.downstream
    left join sole_clusters
        on sole_clusters.downstream = effects.downstream and sole_clusters.topic = effects.topic
)

select
    downstream,
    case when has_coordinates then cluster end as cluster,
    case when has_coordinates then topic end as topic,
    case when has_coordinates then partition end as partition,
    case when has_coordinates then record_offset end as record_offset,
    record_id,
    ordinal,
    applied_us
from located
