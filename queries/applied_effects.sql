-- Which effects did each downstream show, each once, with the cluster they came from?
-- Measure: M1
-- Grain: one row per effect
-- Reads: merged_applied, drill_downstreams, sole_clusters
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster, null if the coordinates are incomplete
--   topic varchar  source topic, null likewise
--   partition integer  source partition, null likewise
--   record_offset bigint  source offset, null likewise
--   record_id varchar  identity of the record, null if the effect carries none
--   ordinal integer  which of several rows of one record, 0 if only one
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: A null cluster means the only cluster with acknowledged records of that topic; with none or several the
--   coordinates are incomplete.
with located as (
    select
        merged_applied.downstream,
        coalesce(merged_applied.cluster, sole_clusters.cluster) as cluster,
        merged_applied.topic,
        merged_applied.partition,
        merged_applied.record_offset,
        merged_applied.record_id,
        coalesce(merged_applied.ordinal, 0) as ordinal,
        merged_applied.applied_us,
        coalesce(merged_applied.cluster, sole_clusters.cluster) is not null
        and merged_applied.topic is not null
        and merged_applied.partition is not null
        and merged_applied.record_offset is not null as has_coordinates
    from merged_applied
    inner join drill_downstreams on drill_downstreams.downstream = merged_applied.downstream
    left join sole_clusters
        on sole_clusters.downstream = merged_applied.downstream and sole_clusters.topic = merged_applied.topic
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
