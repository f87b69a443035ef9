-- When did each condition, and the service as a whole, break and hold again?
-- Measure: M9
-- Grain: one row per condition; the condition "all" is the service as a whole
-- Reads: recovery, clock, drill_objectives
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition, or all
--   clock_started_us bigint  clock start, microseconds since the epoch
--   impact_us bigint  first bad step, null if none
--   restored_us bigint  first step after it that begins hold_seconds of good steps, null if none
--   last_bad_us bigint  last bad step before that (else the last bad step)
--   bad_steps bigint  bad steps
--   unknown_steps bigint  unknown steps
--   unknown_before_restored bigint  unknown steps between the last bad step and the restored step
--   good_steps bigint  good steps
--   relapses bigint  runs of bad steps after the restored step
--   last_step_us bigint  last step
-- Method: Runs of equal states; a run of good steps qualifies if it reaches from its first step over hold_seconds.
with numbered as (
    select
        recovery.condition,
        recovery.step_us,
        recovery.state,
        lag(recovery.state) over (partition by recovery.condition order by recovery.step_us) as previous_state
    from recovery
),

grouped as (
    select
        numbered.condition,
        numbered.step_us,
        numbered.state,
        sum(case when numbered.previous_state = numbered.state then 0 else 1 end) over (
            partition by numbered.condition order by numbered.step_us rows unbounded preceding
        ) as run
    from numbered
),

runs as (
    select condition, state, run, min(step_us) as first_us, max(step_us) as last_us
    from grouped
    group by condition, state, run
),

totals as (
    select
        condition,
        min(case when state = 'bad' then step_us end) as impact_us,
        sum(case when state = 'bad' then 1 else 0 end) as bad_steps,
        sum(case when state = 'unknown' then 1 else 0 end) as unknown_steps,
        sum(case when state = 'good' then 1 else 0 end) as good_steps,
        max(step_us) as last_step_us
    from recovery
    group by condition
),

restored as (
    select runs.condition, min(runs.first_us) as restored_us
    from runs
    inner join totals on totals.condition = runs.condition and runs.first_us > totals.impact_us
    cross join drill_objectives
    where runs.state = 'good' and runs.last_us >= runs.first_us + drill_objectives.hold_us
    group by runs.condition
),

last_bad as (
    select recovery.condition, max(recovery.step_us) as last_bad_us
    from recovery
    left join restored on restored.condition = recovery.condition
    where recovery.state = 'bad' and (restored.restored_us is null or recovery.step_us < restored.restored_us)
    group by recovery.condition
),

between_states as (
    select recovery.condition, count(*) as unknown_before_restored
    from recovery
    inner join restored on restored.condition = recovery.condition
    inner join last_bad on last_bad.condition = recovery.condition
    where
        recovery.state = 'unknown'
        and recovery.step_us > last_bad.last_bad_us
        and recovery.step_us < restored.restored_us
    group by recovery.condition
),

relapsed as (
    select runs.condition, count(*) as relapses
    from runs
    inner join restored on restored.condition = runs.condition
    where runs.state = 'bad' and runs.first_us > restored.restored_us
    group by runs.condition
)

select
    totals.condition,
    clock.clock_started_us,
    totals.impact_us,
    restored.restored_us,
    last_bad.last_bad_us,
    cast(totals.bad_steps as bigint) as bad_steps,
    cast(totals.unknown_steps as bigint) as unknown_steps,
    coalesce(between_states.unknown_before_restored, 0) as unknown_before_restored,
    cast(totals.good_steps as bigint) as good_steps,
    coalesce(relapsed.relapses, 0) as relapses,
    totals.last_step_us
from totals
cross join clock
left join restored on restored.condition = totals.condition
left join last_bad on last_bad.condition = totals.condition
left join between_states on between_states.condition = totals.condition
left join relapsed on relapsed.condition = totals.condition
