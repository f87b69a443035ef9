-- Is the lag of each group within its limit, step by step?
-- Measure: M9
-- Grain: one row per (lag condition, step)
-- Reads: clock_steps, drill_conditions, offset_lag, lag, gap_steps, sample_limits, watermarks
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good, bad or unknown
--   measured double  total lag in records (largest in seconds where only max_seconds is limited), null if not known
-- Method: A partition is unknown without a lag, with a sample older than three intervals of its collector (30 s
--   without heartbeats), or while its collector was silent. Good if even the next sample's total is within the limit,
--   or, without one, if the total is and no partition is unknown. Bad if the known total exceeds it.
with captured as (
    select count(*) as samples from watermarks
),

limits as (
    select
        offset_lag.group_id,
        offset_lag.cluster,
        max(case when sample_limits.table_name = 'watermarks' and sample_limits.scope in ('', offset_lag.cluster)
                then sample_limits.limit_us end) as watermark_limit_us,
        max(case when sample_limits.table_name = 'commits'
                    and sample_limits.scope in ('', offset_lag.cluster, offset_lag.group_id)
                then sample_limits.limit_us end) as commit_limit_us
    from (select distinct group_id, cluster from offset_lag) as offset_lag
    left join sample_limits on true
    group by offset_lag.group_id, offset_lag.cluster
),

silent as (
    select distinct offset_lag.group_id, offset_lag.cluster, gap_steps.step_us
    from (select distinct group_id, cluster from offset_lag) as offset_lag
    cross join captured
    inner join gap_steps
        on
            (gap_steps.table_name = 'commits'
             and gap_steps.scope in ('', offset_lag.cluster, offset_lag.group_id))
            or (gap_steps.table_name = 'watermarks' and captured.samples > 0
                and gap_steps.scope in ('', offset_lag.cluster))
            or (gap_steps.table_name = 'acks' and captured.samples = 0
                and gap_steps.scope in ('', offset_lag.cluster))
),

partitions as (
    select
        offset_lag.group_id,
        offset_lag.step_us,
        offset_lag.lag_records,
        offset_lag.lag_records_high,
        lag.lag_seconds,
        offset_lag.lag_records is null
        or silent.group_id is not null
        or coalesce(
            offset_lag.step_us - offset_lag.log_end_observed_us > coalesce(limits.watermark_limit_us, 30000000), false
        )
        or (
            offset_lag.is_polled
            and offset_lag.step_us - offset_lag.commit_seen_us > coalesce(limits.commit_limit_us, 30000000)
        ) as is_unknown
    from offset_lag
    inner join clock_steps on clock_steps.step_us = offset_lag.step_us
    inner join lag
        on
            lag.group_id = offset_lag.group_id
            and lag.cluster = offset_lag.cluster
            and lag.topic = offset_lag.topic
            and lag.partition = offset_lag.partition
            and lag.step_us = offset_lag.step_us
    inner join limits on limits.group_id = offset_lag.group_id and limits.cluster = offset_lag.cluster
    left join silent
        on
            silent.group_id = offset_lag.group_id
            and silent.cluster = offset_lag.cluster
            and silent.step_us = offset_lag.step_us
),

totals as (
    select
        group_id,
        step_us,
        cast(sum(case when is_unknown then 0 else lag_records end) as bigint) as lag_records,
        sum(case when is_unknown then 1 else 0 end) as unknown,
        cast(sum(case when is_unknown then null else lag_records_high end) as bigint) as lag_records_high,
        sum(case when is_unknown or lag_records_high is null then 1 else 0 end) as high_unknown,
        max(case when is_unknown then null else lag_seconds end) as lag_seconds,
        sum(case when is_unknown or lag_seconds is null then 1 else 0 end) as seconds_unknown
    from partitions
    group by group_id, step_us
),

judged as (
    select
        drill_conditions.condition,
        clock_steps.step_us,
        drill_conditions.max_records,
        drill_conditions.max_seconds,
        totals.lag_records,
        totals.lag_seconds,
        case
            when drill_conditions.max_records is null then 'good'
            when totals.group_id is null then 'unknown'
            when totals.high_unknown = 0 and totals.lag_records_high <= drill_conditions.max_records then 'good'
            when totals.high_unknown > 0 and totals.unknown = 0
                and totals.lag_records <= drill_conditions.max_records then 'good'
            when totals.lag_records > drill_conditions.max_records then 'bad'
            else 'unknown'
        end as records_state,
        case
            when drill_conditions.max_seconds is null then 'good'
            when totals.group_id is null then 'unknown'
            when totals.lag_seconds > drill_conditions.max_seconds then 'bad'
            when totals.seconds_unknown = 0 and totals.lag_seconds <= drill_conditions.max_seconds then 'good'
            else 'unknown'
        end as seconds_state
    from drill_conditions
    cross join clock_steps
    left join totals
        on totals.group_id = drill_conditions.group_id and totals.step_us = clock_steps.step_us
    where drill_conditions.kind = 'lag'
)

select
    condition,
    step_us,
    case
        when records_state = 'bad' or seconds_state = 'bad' then 'bad'
        when records_state = 'good' and seconds_state = 'good' then 'good'
        else 'unknown'
    end as state,
    case when max_records is null then lag_seconds else cast(lag_records as double) end as measured
from judged
