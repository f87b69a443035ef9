-- To which acknowledged record does each effect belong?
-- Measure: M1
-- Grain: one row per (downstream, source coordinates, record_id, ordinal)
-- Reads: applied_effects, records, drill_downstreams
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster of the effect
--   topic varchar  source topic
--   partition integer  source partition
--   record_offset bigint  source offset
--   record_id varchar  identity on the effect
--   ordinal integer  which of several rows of one record
--   effects bigint  effects with these coordinates, identity and ordinal
--   first_applied_us bigint  earliest of them, microseconds since the epoch
--   last_applied_us bigint  latest of them, microseconds since the epoch
--   is_matched boolean  whether they belong to an acknowledged record
--   of_cluster varchar  cluster of that record
--   of_topic varchar  topic of that record
--   of_partition integer  partition of that record
--   of_record_offset bigint  offset of that record
--   of_record_id varchar  identity of that record
-- Method: With match offset, by coordinates and, where both sides carry one, by identity. Where several records share
--   coordinates: the one with the same identity, else the one without, and for an effect without identity the one
--   acknowledged last. With match record_id, by identity alone.
with counted as (
    select
        downstream, cluster, topic, partition, record_offset, record_id, ordinal,
        count(*) as effects,
        min(applied_us) as first_applied_us,
        max(applied_us) as last_applied_us
    from applied_effects
    group by downstream, cluster, topic, partition, record_offset, record_id, ordinal
),

offset_records as (
    select records.*
    from records
    inner join drill_downstreams on drill_downstreams.downstream = records.downstream
    where drill_downstreams.match_by = 'offset'
),

offset_counted as (
    select counted.*
    from counted
    inner join drill_downstreams on drill_downstreams.downstream = counted.downstream
    where drill_downstreams.match_by = 'offset'
),

coordinates as (
    select
        downstream, cluster, topic, partition, record_offset,
        count(*) as records,
        max(record_id) as sole_record_id
    from offset_records
    group by downstream, cluster, topic, partition, record_offset
),

contested_records as (
    select
        offset_records.*,
        row_number() over (
            partition by
                offset_records.downstream,
                offset_records.cluster,
                offset_records.topic,
                offset_records.partition,
                offset_records.record_offset
            order by offset_records.last_acked_us desc, offset_records.record_id desc nulls last
        ) as place
    from offset_records
    inner join coordinates
        on
            coordinates.downstream = offset_records.downstream
            and coordinates.cluster = offset_records.cluster
            and coordinates.topic = offset_records.topic
            and coordinates.partition = offset_records.partition
            and coordinates.record_offset = offset_records.record_offset
    where coordinates.records > 1
),

located as (
    select
        offset_counted.*,
        coalesce(coordinates.records, 0) as records,
        coordinates.sole_record_id
    from offset_counted
    left join coordinates
        on
            coordinates.downstream = offset_counted.downstream
            and coordinates.cluster = offset_counted.cluster
            and coordinates.topic = offset_counted.topic
            and coordinates.partition = offset_counted.partition
            and coordinates.record_offset = offset_counted.record_offset
),

uncontested as (
    select
        located.*,
        records = 1
        and (record_id is null or sole_record_id is null or record_id = sole_record_id) as is_matched,
        sole_record_id as of_record_id
    from located
    where records <= 1
),

contested as (
    select
        located.*,
        located.record_id is null or same.downstream is not null or idless.downstream is not null as is_matched,
        case
            when located.record_id is null then heir.record_id
            when same.downstream is not null then same.record_id
        end as of_record_id
    from located
    left join contested_records as same
        on
            same.downstream = located.downstream
            and same.cluster = located.cluster
            and same.topic = located.topic
            and same.partition = located.partition
            and same.record_offset = located.record_offset
            and same.record_id = located.record_id
    left join contested_records as idless
        on
            idless.downstream = located.downstream
            and idless.cluster = located.cluster
            and idless.topic = located.topic
            and idless.partition = located.partition
            and idless.record_offset = located.record_offset
            and idless.record_id is null
    left join contested_records as heir
        on
            heir.downstream = located.downstream
            and heir.cluster = located.cluster
            and heir.topic = located.topic
            and heir.partition = located.partition
            and heir.record_offset = located.record_offset
            and heir.place = 1
    where located.records > 1
),

by_offset as (
    select
        downstream, cluster, topic, partition, record_offset, record_id, ordinal,
        effects, first_applied_us, last_applied_us, is_matched, of_record_id
    from uncontested
    union all
    select
        downstream, cluster, topic, partition, record_offset, record_id, ordinal,
        effects, first_applied_us, last_applied_us, is_matched, of_record_id
    from contested
)

select
    downstream, cluster, topic, partition, record_offset, record_id, ordinal,
    effects, first_applied_us, last_applied_us, is_matched,
    case when is_matched then cluster end as of_cluster,
    case when is_matched then topic end as of_topic,
    case when is_matched then partition end as of_partition,
    case when is_matched then record_offset end as of_record_offset,
    case when is_matched then of_record_id end as of_record_id
from by_offset
union all
select
    counted.downstream,
    counted.cluster,
    counted.topic,
    counted.partition,
    counted.record_offset,
    counted.record_id,
    counted.ordinal,
    counted.effects,
    counted.first_applied_us,
    counted.last_applied_us,
    records.downstream is not null as is_matched,
    records.cluster as of_cluster,
    records.topic as of_topic,
    records.partition as of_partition,
    records.record_offset as of_record_offset,
    records.record_id as of_record_id
from counted
inner join drill_downstreams on drill_downstreams.downstream = counted.downstream
left join records on records.downstream = counted.downstream and records.record_id = counted.record_id
where drill_downstreams.match_by = 'record_id'
