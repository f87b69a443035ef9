-- How does the backlog of each group burn down, step by step?
-- Measure: M7, M8
-- Grain: one row per (group, step)
-- Reads: lag, drill_objectives
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   step_us bigint  step, microseconds since the epoch
--   cluster varchar  cluster the group counts on, null if several
--   lag_records bigint  total over known partitions, null if none is known
--   lag_records_high bigint  total at the next samples, null unless every partition has one
--   lag_seconds double  largest over partitions, null unless every partition's is known
--   partitions bigint  partitions of the group
--   partitions_unknown bigint  of those, without a known lag
--   log_end_offsets bigint  sum of log ends, null unless all are known
--   committed_offsets bigint  sum of committed offsets, null unless all are known
--   ingress_records_per_second double  growth of the log ends since the step before
--   egress_records_per_second double  growth of the committed offsets since the step before
-- Method: Sums over the partitions of the group on its cluster. Rates are null across a change of cluster.
with totals as (
    select
        group_id,
        step_us,
        case when min(cluster) = max(cluster) then min(cluster) end as cluster,
        cast(sum(lag_records) as bigint) as lag_records,
        case when count(lag_records_high) = count(*)
                then cast(sum(lag_records_high) as bigint) end as lag_records_high,
        case when count(lag_seconds) = count(*) then max(lag_seconds) end as lag_seconds,
        count(*) as partitions,
        count(*) - count(lag_records) as partitions_unknown,
        case when count(lag_records) = count(*) then cast(sum(log_end_offset) as bigint) end as log_end_offsets,
        case when count(lag_records) = count(*) then cast(sum(committed_offset) as bigint) end as committed_offsets
    from lag
    group by group_id, step_us
),

neighbors as (
    select
        totals.*,
        lag(cluster) over (partition by group_id order by step_us) as previous_cluster,
        lag(log_end_offsets) over (partition by group_id order by step_us) as previous_log_end_offsets,
        lag(committed_offsets) over (partition by group_id order by step_us) as previous_committed_offsets
    from totals
)

select
    neighbors.group_id,
    neighbors.step_us,
    neighbors.cluster,
    neighbors.lag_records,
    neighbors.lag_records_high,
    neighbors.lag_seconds,
    neighbors.partitions,
    neighbors.partitions_unknown,
    neighbors.log_end_offsets,
    neighbors.committed_offsets,
    case when neighbors.cluster = neighbors.previous_cluster
            then cast(neighbors.log_end_offsets - neighbors.previous_log_end_offsets as double)
            * 1000000 / drill_objectives.step_us end as ingress_records_per_second,
    case when neighbors.cluster = neighbors.previous_cluster
            then cast(neighbors.committed_offsets - neighbors.previous_committed_offsets as double)
            * 1000000 / drill_objectives.step_us end as egress_records_per_second
from neighbors
cross join drill_objectives
