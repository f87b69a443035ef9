-- Which effects did each downstream show, each once, with the cluster they came from?
-- Measure: M1
-- Grain: one row per effect
-- Reads: applied, drill_downstreams, downstream_topics, acked_partitions
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
with identified as (
    select
        applied.*,
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
    where applied.application_id is not null
),

effects as (
    select downstream, cluster, topic, partition, record_offset, record_id, ordinal, applied_us
    from identified
    where capture = 1
    union all
    select downstream, cluster, topic, partition, record_offset, record_id, ordinal, applied_us
    from applied
    where application_id is null
),

sole_clusters as (
    select
        downstream_topics.downstream,
        downstream_topics.topic,
        min(acked_partitions.cluster) as cluster
    from acked_partitions
    inner join downstream_topics
        on downstream_topics.cluster = acked_partitions.cluster and downstream_topics.topic = acked_partitions.topic
    group by downstream_topics.downstream, downstream_topics.topic
    having min(acked_partitions.cluster) = max(acked_partitions.cluster)
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
