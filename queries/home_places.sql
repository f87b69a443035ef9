-- Where does each unapplied record of a failed-over group stand in the log of the cluster the group ended on?
-- Measure: M1
-- Grain: one row per (downstream, record) not applied, found on the group's home cluster, which is not its own
-- Reads: records, record_effects, drill_downstreams, group_homes, log_records
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   record_id varchar  identity of the record
--   own_cluster varchar  cluster that acknowledged it
--   cluster varchar  home cluster
--   topic varchar  physical topic there
--   partition integer  partition there
--   record_offset bigint  lowest offset there
-- Method: Looked up by record_id in every log record of the home cluster.
with away as (
    select distinct
        records.downstream,
        records.record_id,
        records.cluster as own_cluster,
        group_homes.cluster as home_cluster
    from records
    inner join drill_downstreams on drill_downstreams.downstream = records.downstream
    inner join group_homes on group_homes.group_id = drill_downstreams.group_id
    left join record_effects
        on
            record_effects.page_number = records.page_number
            and record_effects.record_offset = records.record_offset
            and record_effects.record_key is not distinct from records.record_key
    where
        group_homes.cluster <> records.cluster
        and records.record_id is not null
        and record_effects.page_number is null
),

ranked as (
    select
        away.downstream,
        away.record_id,
        away.own_cluster,
        log_records.cluster,
        log_records.topic,
        log_records.partition,
        log_records.record_offset,
        row_number() over (
            partition by away.downstream, away.record_id, away.own_cluster
            order by log_records.record_offset, log_records.topic, log_records.partition
        ) as place
    from away
    inner join log_records
        on log_records.cluster = away.home_cluster and log_records.record_id = away.record_id
)

select downstream, record_id, own_cluster, cluster, topic, partition, record_offset
from ranked
where place = 1
