-- Which records does each downstream have to account for?
-- Measure: M1
-- Grain: one row per (downstream, record)
-- Reads: acked_records, downstream_topics, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream that must apply it
--   cluster varchar  cluster the record stands on
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset
--   record_id varchar  identity, null if it has none
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: With match offset, a record is its coordinates and identity. With match record_id, all coordinates of one
--   identity are one record, standing at the coordinates acknowledged first (ties: cluster, topic, partition, offset).
with offset_records as (
    select
        downstream_topics.downstream,
        acked_records.cluster,
        acked_records.topic,
        acked_records.partition,
        acked_records.record_offset,
        acked_records.record_id,
        acked_records.first_acked_us,
        acked_records.last_acked_us
    from acked_records
    inner join downstream_topics
        on downstream_topics.cluster = acked_records.cluster and downstream_topics.topic = acked_records.topic
    inner join drill_downstreams on drill_downstreams.downstream = downstream_topics.downstream
    where drill_downstreams.match_by = 'offset' or acked_records.record_id is null
),

identified as (
    select
        downstream_topics.downstream,
        acked_records.cluster,
        acked_records.topic,
        acked_records.partition,
        acked_records.record_offset,
        acked_records.record_id,
        min(acked_records.first_acked_us)
            over (partition by downstream_topics.downstream, acked_records.record_id) as first_acked_us,
        max(acked_records.last_acked_us)
            over (partition by downstream_topics.downstream, acked_records.record_id) as last_acked_us,
        row_number() over (
            partition by downstream_topics.downstream, acked_records.record_id
            order by
                acked_records.first_acked_us,
                acked_records.cluster,
                acked_records.topic,
                acked_records.partition,
                acked_records.record_offset
        ) as place
    from acked_records
    inner join downstream_topics
        on downstream_topics.cluster = acked_records.cluster and downstream_topics.topic = acked_records.topic
    inner join drill_downstreams on drill_downstreams.downstream = downstream_topics.downstream
    where drill_downstreams.match_by = 'record_id' and acked_records.record_id is not null
)

select
    downstream, cluster, topic, partition, record_offset, record_id, first_acked_us, last_acked_us
from offset_records
union all
select
    downstream, cluster, topic, partition, record_offset, record_id, first_acked_us, last_acked_us
from identified
where place = 1
