-- Are few enough partitions under-replicated or without a leader, step by step?
-- Measure: M9
-- Grain: one row per (under_replicated condition, step)
-- Reads: clock_steps, drill_conditions, replication_by_step, clusters_seen
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good, bad or unknown
--   measured double  degraded partitions among fresh samples, null if there are none
-- Method: Bad if more are known to be degraded than allowed; else unknown if any sample is stale or missing; on a
--   simulated cluster always unknown, for its replication proves nothing.
with totals as (
    select
        drill_conditions.condition,
        replication_by_step.step_us,
        sum(case when replication_by_step.is_degraded and not replication_by_step.is_stale then 1 else 0 end) as degraded,
        sum(case when replication_by_step.is_stale then 1 else 0 end) as stale,
        max(case when clusters_seen.is_simulated then 1 else 0 end) as simulated
    from drill_conditions
    inner join replication_by_step
        on drill_conditions.cluster is null or replication_by_step.cluster = drill_conditions.cluster
    inner join clusters_seen on clusters_seen.cluster = replication_by_step.cluster
    where drill_conditions.kind = 'under_replicated'
    group by drill_conditions.condition, replication_by_step.step_us
)

select
    drill_conditions.condition,
    clock_steps.step_us,
    case
        when totals.condition is null or totals.simulated = 1 then 'unknown'
        when totals.degraded > drill_conditions.max_partitions then 'bad'
        when totals.stale > 0 then 'unknown'
        else 'good'
    end as state,
    cast(totals.degraded as double) as measured
from drill_conditions
cross join clock_steps
left join totals
    on totals.condition = drill_conditions.condition and totals.step_us = clock_steps.step_us
where drill_conditions.kind = 'under_replicated'
