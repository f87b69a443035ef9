-- Was the service restored, condition by condition and as a whole, step by step?
-- Measure: M9
-- Grain: one row per (condition, step); the condition "all" is the service as a whole
-- Reads: lag_condition_states, produce_condition_states, applied_condition_states, replication_condition_states, connector_condition_states, event_condition_states
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition, or all
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good, bad or unknown
--   measured double  what was compared with the limit, null for all
-- Method: The service is bad if any condition is bad, else unknown if any is unknown, else good.
with states as (
    select condition, step_us, state, measured from lag_condition_states
    union all
    select condition, step_us, state, measured from produce_condition_states
    union all
    select condition, step_us, state, measured from applied_condition_states
    union all
    select condition, step_us, state, measured from replication_condition_states
    union all
    select condition, step_us, state, measured from connector_condition_states
    union all
    select condition, step_us, state, measured from event_condition_states
)

select condition, step_us, state, measured
from states
union all
select
    'all' as condition,
    step_us,
    case
        when max(case when state = 'bad' then 1 else 0 end) = 1 then 'bad'
        when max(case when state = 'unknown' then 1 else 0 end) = 1 then 'unknown'
        else 'good'
    end as state,
    cast(null as double) as measured
from states
group by step_us
