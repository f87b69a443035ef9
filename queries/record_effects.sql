-- How often was each acknowledged record applied?
-- Measure: M1
-- Grain: one row per (downstream, record) that was applied at all
-- Reads: applications, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  cluster of the record
--   topic varchar  topic of the record
--   partition integer  partition of the record
--   record_offset bigint  offset of the record
--   record_id varchar  identity of the record
--   applied_rows bigint  n: applied rows; with delivery many the largest count over one ordinal
--   distinct_applied bigint  distinct (record, ordinal) with delivery many, else 1
--   effects bigint  all applied rows of the record
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
-- Method: Counted over one ordinal where one record means several rows, over all of them elsewhere.
with per_delivery as (
    select
        applications.downstream,
        applications.of_cluster,
        applications.of_topic,
        applications.of_partition,
        applications.of_record_offset,
        applications.of_record_id,
        case when drill_downstreams.delivery = 'many' then applications.ordinal else 0 end as delivered_ordinal,
        cast(sum(applications.effects) as bigint) as effects,
        min(applications.first_applied_us) as first_applied_us,
        max(applications.last_applied_us) as last_applied_us
    from applications
    inner join drill_downstreams on drill_downstreams.downstream = applications.downstream
    where applications.is_matched
    group by
        applications.downstream,
        applications.of_cluster,
        applications.of_topic,
        applications.of_partition,
        applications.of_record_offset,
        applications.of_record_id,
        case when drill_downstreams.delivery = 'many' then applications.ordinal else 0 end
)

select
    downstream,
    of_cluster as cluster,
    of_topic as topic,
    of_partition as partition,
    of_record_offset as record_offset,
    of_record_id as record_id,
    max(effects) as applied_rows,
    count(*) as distinct_applied,
    cast(sum(effects) as bigint) as effects,
    min(first_applied_us) as first_applied_us,
    max(last_applied_us) as last_applied_us
from per_delivery
group by downstream, of_cluster, of_topic, of_partition, of_record_offset, of_record_id
