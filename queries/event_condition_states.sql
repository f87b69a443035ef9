-- Has the event that says so happened, step by step?
-- Measure: M9
-- Grain: one row per (event condition, step)
-- Reads: clock_steps, drill_conditions, events
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good or bad
--   measured double  seconds from the clock start to the event, null until it happened
-- Method: The first event of that kind after the clock start.
with firsts as (
    select
        drill_conditions.condition,
        min(events.occurred_us) as occurred_us
    from drill_conditions
    cross join (select min(clock_started_us) as clock_started_us from clock_steps) as clock
    left join events
        on events.kind = drill_conditions.event and events.occurred_us > clock.clock_started_us
    where drill_conditions.kind = 'event'
    group by drill_conditions.condition
)

select
    firsts.condition,
    clock_steps.step_us,
    case when coalesce(firsts.occurred_us <= clock_steps.step_us, false) then 'good' else 'bad' end as state,
    case
        when firsts.occurred_us <= clock_steps.step_us
            then cast(firsts.occurred_us - clock_steps.clock_started_us as double) / 1000000
    end as measured
from firsts
cross join clock_steps
