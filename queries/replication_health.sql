-- For how long was each cluster under-replicated after the clock started?
-- Measure: M9
-- Grain: one row per cluster with partition states
-- Reads: replication_by_step, clock_steps, drill_objectives, clusters_seen
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   degraded_seconds double  steps with a partition that had no leader or too few in-sync replicas × step length
--   unknown_seconds double  steps without that but with a stale or missing sample × step length
--   worst_partitions bigint  most partitions degraded at one step
--   is_simulated boolean  whether the cluster only imitates Kafka
-- Method: Counted over the steps from the clock start on.
with totals as (
    select
        replication_by_step.cluster,
        replication_by_step.step_us,
        sum(case when replication_by_step.is_degraded and not replication_by_step.is_stale then 1 else 0 end) as degraded,
        sum(case when replication_by_step.is_stale then 1 else 0 end) as stale
    from replication_by_step
    inner join clock_steps on clock_steps.step_us = replication_by_step.step_us
    group by replication_by_step.cluster, replication_by_step.step_us
)

select
    totals.cluster,
    cast(sum(case when totals.degraded > 0 then drill_objectives.step_us else 0 end) as double) / 1000000 as degraded_seconds,
    cast(sum(case when totals.degraded = 0 and totals.stale > 0 then drill_objectives.step_us else 0 end) as double)
    / 1000000 as unknown_seconds,
    cast(max(totals.degraded) as bigint) as worst_partitions,
    clusters_seen.is_simulated
from totals
cross join drill_objectives
inner join clusters_seen on clusters_seen.cluster = totals.cluster
group by totals.cluster, clusters_seen.is_simulated
