-- Do the connectors run, all their tasks too, and do they make progress, step by step?
-- Measure: M9
-- Grain: one row per (connectors condition, step)
-- Reads: clock_steps, steps, drill_condition_connectors, drill_objectives, connector_states, sample_limits, gap_steps
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good, bad or unknown
--   measured double  entities (connectors and tasks) that run and advance, as far as known
-- Method: Each connector and task seen so far by its latest sample. RUNNING alone proves nothing: every entity that
--   has reported progress by then must have advanced beyond its progress as of the clock start (else its first after
--   it). A task that was DESTROYED (the connector has fewer of them now) no longer counts; a connector that was
--   destroyed does not run. Bad wins over unknown.
with entities as (
    select distinct connector_states.connector, coalesce(connector_states.task_id, -1) as task_id
    from connector_states
    inner join (select distinct connector from drill_condition_connectors) as named
        on named.connector = connector_states.connector
),

sampled as (
    select
        connector_states.connector,
        coalesce(connector_states.task_id, -1) as task_id,
        connector_states.observed_us,
        connector_states.observed_us
        + (drill_objectives.step_us - connector_states.observed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us,
        max(case when upper(connector_states.state) = 'RUNNING' then 0 else 1 end) as stopped,
        min(case when upper(connector_states.state) = 'DESTROYED' then 1 else 0 end) as destroyed,
        max(connector_states.progress) as progress
    from connector_states
    cross join drill_objectives
    group by 1, 2, 3, 4
),

latest as (
    select
        connector, task_id, step_us, observed_us, stopped, destroyed, progress,
        row_number() over (partition by connector, task_id, step_us order by observed_us desc) as place
    from sampled
),

progressed as (
    select
        connector, task_id, step_us, observed_us, progress,
        row_number() over (partition by connector, task_id, step_us order by observed_us desc) as place
    from sampled
    where progress is not null
),

starts as (
    select min(clock_started_us) as clock_started_us from clock_steps
),

baseline_ranks as (
    select
        sampled.connector, sampled.task_id, sampled.progress,
        row_number() over (
            partition by sampled.connector, sampled.task_id
            order by
                case when sampled.observed_us <= starts.clock_started_us then 0 else 1 end,
                case when sampled.observed_us <= starts.clock_started_us then -sampled.observed_us else sampled.observed_us end
        ) as place
    from sampled
    cross join starts
    where sampled.progress is not null
),

framed as (
    select
        entities.connector,
        entities.task_id,
        steps.step_us,
        max(latest.step_us) over (
            partition by entities.connector, entities.task_id order by steps.step_us rows unbounded preceding
        ) as last_step_us,
        max(progressed.step_us) over (
            partition by entities.connector, entities.task_id order by steps.step_us rows unbounded preceding
        ) as progress_step_us
    from entities
    cross join steps
    left join latest
        on
            latest.connector = entities.connector
            and latest.task_id = entities.task_id
            and latest.step_us = steps.step_us
            and latest.place = 1
    left join progressed
        on
            progressed.connector = entities.connector
            and progressed.task_id = entities.task_id
            and progressed.step_us = steps.step_us
            and progressed.place = 1
),

limits as (
    select
        named.connector,
        max(case when sample_limits.table_name = 'connector_states' and sample_limits.scope in ('', named.connector)
                then sample_limits.limit_us end) as limit_us
    from (select distinct connector from drill_condition_connectors) as named
    left join sample_limits on true
    group by named.connector
),

silent as (
    select distinct named.connector, gap_steps.step_us
    from (select distinct connector from drill_condition_connectors) as named
    inner join gap_steps
        on gap_steps.table_name = 'connector_states' and gap_steps.scope in ('', named.connector)
),

judged as (
    select
        framed.connector,
        framed.step_us,
        silent.connector is not null
        or framed.step_us - latest.observed_us > coalesce(limits.limit_us, 30000000) as is_unknown,
        coalesce(latest.stopped = 1, false) as is_stopped,
        progressed.connector is not null as has_progress,
        coalesce(progressed.progress > baseline_ranks.progress, false) as is_advanced
    from framed
    inner join clock_steps on clock_steps.step_us = framed.step_us
    inner join latest
        on
            latest.connector = framed.connector
            and latest.task_id = framed.task_id
            and latest.step_us = framed.last_step_us
            and latest.place = 1
    left join progressed
        on
            progressed.connector = framed.connector
            and progressed.task_id = framed.task_id
            and progressed.step_us = framed.progress_step_us
            and progressed.place = 1
    left join baseline_ranks
        on
            baseline_ranks.connector = framed.connector
            and baseline_ranks.task_id = framed.task_id
            and baseline_ranks.place = 1
    left join limits on limits.connector = framed.connector
    left join silent on silent.connector = framed.connector and silent.step_us = framed.step_us
    where latest.destroyed = 0 or framed.task_id < 0
),

connectors as (
    select
        connector,
        step_us,
        max(case when is_stopped and not is_unknown then 1 else 0 end) as stopped,
        max(case when has_progress and not is_advanced and not is_unknown then 1 else 0 end) as stuck,
        max(case when is_unknown then 1 else 0 end) as unknown,
        max(case when has_progress then 1 else 0 end) as reporting,
        sum(case when not is_unknown and not is_stopped and (is_advanced or not has_progress) then 1 else 0 end) as advancing
    from judged
    group by connector, step_us
),

states as (
    select
        drill_condition_connectors.condition,
        clock_steps.step_us,
        max(case when connectors.stopped = 1 or connectors.stuck = 1 then 1 else 0 end) as bad,
        max(case when connectors.connector is null or connectors.unknown = 1 or connectors.reporting = 0 then 1 else 0 end)
            as unknown,
        sum(connectors.advancing) as advancing
    from drill_condition_connectors
    cross join clock_steps
    left join connectors
        on
            connectors.connector = drill_condition_connectors.connector
            and connectors.step_us = clock_steps.step_us
    group by drill_condition_connectors.condition, clock_steps.step_us
)

select
    condition,
    step_us,
    case when bad = 1 then 'bad' when unknown = 1 then 'unknown' else 'good' end as state,
    cast(advancing as double) as measured
from states
