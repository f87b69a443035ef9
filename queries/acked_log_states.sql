-- Is each acknowledged record still in the log of the cluster that acknowledged it?
-- Measure: M2
-- Grain: one row per acknowledged record that a scan can judge
-- Reads: acked_records, flow_topics, latest_scans, scanned_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity, null if it has none
--   is_missing boolean  whether the log does not hold it
--   is_overwritten boolean  whether the log holds another record at its place
-- Method: Judged at or above from_offset of the latest scan, on topics that are not compacted. In the log if a record
--   with the same coordinates has the same identity or one side has none. At or above to_offset the log ended below it.
with judged as (
    select
        acked_records.cluster,
        acked_records.topic,
        acked_records.partition,
        acked_records.record_offset,
        acked_records.record_id
    from acked_records
    inner join flow_topics
        on flow_topics.cluster = acked_records.cluster and flow_topics.topic = acked_records.topic
    inner join latest_scans
        on
            latest_scans.cluster = acked_records.cluster
            and latest_scans.topic = acked_records.topic
            and latest_scans.partition = acked_records.partition
    where not flow_topics.is_compacted and acked_records.record_offset >= latest_scans.from_offset
),

places as (
    select
        cluster, topic, partition, record_offset,
        max(case when record_id is null then 1 else 0 end) as idless,
        min(record_id) as lowest_record_id,
        max(record_id) as highest_record_id
    from scanned_records
    group by cluster, topic, partition, record_offset
),

compared as (
    select
        judged.*,
        places.cluster is not null
        and (judged.record_id is null or places.idless = 1 or same.cluster is not null) as is_present,
        coalesce(judged.record_id <> places.lowest_record_id, false)
        or coalesce(judged.record_id <> places.highest_record_id, false) as has_other
    from judged
    left join places
        on
            places.cluster = judged.cluster
            and places.topic = judged.topic
            and places.partition = judged.partition
            and places.record_offset = judged.record_offset
    left join scanned_records as same
        on
            same.cluster = judged.cluster
            and same.topic = judged.topic
            and same.partition = judged.partition
            and same.record_offset = judged.record_offset
            and same.record_id = judged.record_id
)

select
    cluster,
    topic,
    partition,
    record_offset,
    record_id,
    not is_present as is_missing,
    not is_present and has_other as is_overwritten
from compared
