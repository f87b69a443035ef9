-- Is each acknowledged record that is open still in the log of the cluster that acknowledged it?
-- Measure: M2
-- Grain: one row per open record that a scan can judge
-- Reads: open_records, flow_topics, latest_scans, open_log_records, log_records
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   record_offset bigint  offset acknowledged
--   record_id varchar  identity, null if it has none
--   record_key varchar  the identity where the coordinates alone do not tell the record, else null
--   is_missing boolean  whether the log does not hold it
--   is_overwritten boolean  whether the log holds another record at its place
-- Method: Judged at or above from_offset of the latest scan, on topics that are not compacted. In the log if a record
--   with the same coordinates has the same identity or one side has none. At or above to_offset the log ended below it.
with judged as (
    select
        open_records.log_number,
        open_records.cluster,
        open_records.topic,
        open_records.partition,
        open_records.record_offset,
        open_records.record_id,
        open_records.record_key,
        latest_scans.scanned_us
    from open_records
    inner join flow_topics
        on flow_topics.cluster = open_records.cluster and flow_topics.topic = open_records.topic
    inner join latest_scans
        on
            latest_scans.cluster = open_records.cluster
            and latest_scans.topic = open_records.topic
            and latest_scans.partition = open_records.partition
    where not flow_topics.is_compacted and open_records.record_offset >= latest_scans.from_offset
),

placed as (
    select
        judged.*,
        open_log_records.log_number is not null as is_occupied,
        coalesce(open_log_records.has_idless, false)
        or judged.record_id is null
        or coalesce(judged.record_id = open_log_records.lowest_record_id, false)
        or coalesce(judged.record_id = open_log_records.highest_record_id, false) as has_same,
        open_log_records.lowest_record_id,
        open_log_records.highest_record_id
    from judged
    left join open_log_records
        on
            open_log_records.log_number = judged.log_number
            and open_log_records.record_offset = judged.record_offset
),

in_between as (
    select distinct placed.log_number, placed.record_offset, placed.record_id
    from placed
    inner join log_records
        on
            log_records.cluster = placed.cluster
            and log_records.topic = placed.topic
            and log_records.partition = placed.partition
            and log_records.record_offset = placed.record_offset
            and log_records.record_id = placed.record_id
    where
        not placed.has_same
        and placed.record_id > placed.lowest_record_id
        and placed.record_id < placed.highest_record_id
        and (log_records.scanned_us is null or log_records.scanned_us = placed.scanned_us)
),

compared as (
    select
        placed.*,
        placed.is_occupied and (placed.has_same or in_between.log_number is not null) as is_present,
        coalesce(placed.record_id <> placed.lowest_record_id, false)
        or coalesce(placed.record_id <> placed.highest_record_id, false) as has_other
    from placed
    left join in_between
        on
            in_between.log_number = placed.log_number
            and in_between.record_offset = placed.record_offset
            and in_between.record_id = placed.record_id
)

select
    log_number,
    record_offset,
    record_id,
    record_key,
    not is_present as is_missing,
    not is_present and has_other as is_overwritten
from compared
