-- How well is the lag of each group known from the clock start to the end?
-- Measure: M8
-- Grain: one row per group of the flow
-- Reads: drill_groups, offset_lag, burn_down, clock_steps
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   steps bigint  steps from the clock start on
--   unknown_steps bigint  of those, with a partition whose lag is not known
--   log_end_age_seconds double  age of the oldest log end sample that the last step stands on, null without samples
--   commit_age_seconds double  age of the oldest polled commit that the last step stands on, null if none was polled
-- Method: A final lag that stands on an old sample is not the final lag.
with counted as (
    select
        burn_down.group_id,
        count(*) as steps,
        sum(case when burn_down.partitions_unknown > 0 then 1 else 0 end) as unknown_steps
    from burn_down
    inner join clock_steps on clock_steps.step_us = burn_down.step_us
    group by burn_down.group_id
),

last_steps as (
    select group_id, max(step_us) as step_us from offset_lag group by group_id
),

ages as (
    select
        offset_lag.group_id,
        cast(max(offset_lag.step_us - offset_lag.log_end_observed_us) as double) / 1000000 as log_end_age_seconds,
        cast(max(case when offset_lag.is_polled then offset_lag.step_us - offset_lag.commit_seen_us end) as double)
        / 1000000 as commit_age_seconds
    from offset_lag
    inner join last_steps on last_steps.group_id = offset_lag.group_id and last_steps.step_us = offset_lag.step_us
    group by offset_lag.group_id
)

select
    drill_groups.group_id,
    coalesce(counted.steps, 0) as steps,
    cast(coalesce(counted.unknown_steps, 0) as bigint) as unknown_steps,
    ages.log_end_age_seconds,
    ages.commit_age_seconds
from drill_groups
left join counted on counted.group_id = drill_groups.group_id
left join ages on ages.group_id = drill_groups.group_id
