-- How well was each partition replicated, step by step?
-- Measure: M9
-- Grain: one row per (cluster, topic, partition, step)
-- Reads: steps, drill_objectives, partition_states, sample_limits, gap_steps
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   step_us bigint  step, microseconds since the epoch
--   is_degraded boolean  no leader, or fewer in-sync replicas than replicas, as of the step; null before the first sample
--   is_stale boolean  whether the sample is too old, missing, or its collector was silent
-- Method: The latest sample at or before the step; of samples at one instant the worst.
with sampled as (
    select
        partition_states.cluster,
        partition_states.topic,
        partition_states.partition,
        partition_states.observed_us,
        partition_states.observed_us
        + (drill_objectives.step_us - partition_states.observed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us,
        max(case when partition_states.leader is null or partition_states.in_sync < partition_states.replicas then 1 else 0 end)
            as degraded
    from partition_states
    cross join drill_objectives
    group by 1, 2, 3, 4, 5
),

latest as (
    select
        cluster, topic, partition, step_us, observed_us, degraded,
        row_number() over (partition by cluster, topic, partition, step_us order by observed_us desc) as place
    from sampled
),

logs as (
    select distinct cluster, topic, partition from partition_states
),

limits as (
    select
        clusters.cluster,
        max(case when sample_limits.table_name = 'partition_states' and sample_limits.scope in ('', clusters.cluster)
                then sample_limits.limit_us end) as limit_us
    from (select distinct cluster from partition_states) as clusters
    left join sample_limits on true
    group by clusters.cluster
),

silent as (
    select distinct clusters.cluster, gap_steps.step_us
    from (select distinct cluster from partition_states) as clusters
    inner join gap_steps
        on gap_steps.table_name = 'partition_states' and gap_steps.scope in ('', clusters.cluster)
),

framed as (
    select
        logs.cluster,
        logs.topic,
        logs.partition,
        steps.step_us,
        max(latest.step_us) over (
            partition by logs.cluster, logs.topic, logs.partition order by steps.step_us rows unbounded preceding
        ) as last_step_us
    from logs
    cross join steps
    left join latest
        on
            latest.cluster = logs.cluster
            and latest.topic = logs.topic
            and latest.partition = logs.partition
            and latest.step_us = steps.step_us
            and latest.place = 1
)

select
    framed.cluster,
    framed.topic,
    framed.partition,
    framed.step_us,
    latest.degraded = 1 as is_degraded,
    latest.observed_us is null
    or silent.cluster is not null
    or framed.step_us - latest.observed_us > coalesce(limits.limit_us, 30000000) as is_stale
from framed
left join latest
    on
        latest.cluster = framed.cluster
        and latest.topic = framed.topic
        and latest.partition = framed.partition
        and latest.step_us = framed.last_step_us
        and latest.place = 1
left join limits on limits.cluster = framed.cluster
left join silent on silent.cluster = framed.cluster and silent.step_us = framed.step_us
