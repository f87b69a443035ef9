-- Is the share of produces without an acknowledgement within its limit, step by step?
-- Measure: M9
-- Grain: one row per (produce_errors condition, step)
-- Reads: clock_steps, steps, drill_conditions, drill_objectives, produces, produce_spans, span_length, turning_points, coverage_gaps
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good, bad or unknown
--   measured double  failed and indeterminate ÷ all outcomes in the window, null without outcomes
-- Method: The window is (step − window, step]. An outcome enters at the first step at or after it and leaves at the
--   first step a window later; running sums of both give every window. Counted by span where windows are whole spans. Silence is bad where the mean rate before the
--   clock start would have given at least 10 outcomes, else unknown; a window that a gap of the collector touches is unknown.
with conditions as (
    select drill_conditions.condition, drill_conditions.max_ratio, drill_conditions.window_us, drill_objectives.step_us as step_length_us
    from drill_conditions
    cross join drill_objectives
    where drill_conditions.kind = 'produce_errors'
),

odd_conditions as (
    select conditions.*
    from conditions
    cross join span_length
    where conditions.window_us % span_length.span_us <> 0
),

even_outcomes as (
    select
        conditions.condition,
        conditions.step_length_us,
        conditions.window_us,
        produce_spans.span_end_us as ended_us,
        produce_spans.produces as outcomes,
        case when produce_spans.outcome in ('failed', 'indeterminate') then produce_spans.produces else 0 end as errors
    from produce_spans
    cross join span_length
    inner join conditions on conditions.window_us % span_length.span_us = 0
),

odd_outcomes as (
    select
        conditions.condition,
        conditions.step_length_us,
        conditions.window_us,
        produces.acked_us as ended_us,
        1 as outcomes,
        case when produces.outcome in ('failed', 'indeterminate') then 1 else 0 end as errors
    from produces
    cross join odd_conditions as conditions
),

ended as (
    select condition, step_length_us, window_us, ended_us, outcomes, errors from even_outcomes
    union all
    select condition, step_length_us, window_us, ended_us, outcomes, errors from odd_outcomes
),

changes as (
    select
        condition,
        ended_us + (step_length_us - ended_us % step_length_us) % step_length_us as step_us,
        sum(outcomes) as outcomes,
        sum(errors) as errors
    from ended
    group by 1, 2
    union all
    select
        condition,
        ended_us + window_us + (step_length_us - (ended_us + window_us) % step_length_us) % step_length_us as step_us,
        -sum(outcomes) as outcomes,
        -sum(errors) as errors
    from ended
    group by 1, 2
),

step_changes as (
    select condition, step_us, sum(outcomes) as outcomes, sum(errors) as errors
    from changes
    group by condition, step_us
),

windows as (
    select
        conditions.condition,
        conditions.max_ratio,
        conditions.window_us,
        steps.step_us,
        cast(sum(step_changes.outcomes) over (
            partition by conditions.condition order by steps.step_us rows unbounded preceding
        ) as bigint) as outcomes,
        cast(sum(step_changes.errors) over (
            partition by conditions.condition order by steps.step_us rows unbounded preceding
        ) as bigint) as errors
    from conditions
    cross join steps
    left join step_changes
        on step_changes.condition = conditions.condition and step_changes.step_us = steps.step_us
),

baselines as (
    select cast(coalesce(sum(produces), 0) as bigint) as outcomes, min(first_us) as first_us
    from produce_spans
    inner join turning_points on produce_spans.first_us < turning_points.clock_started_us
),

silent as (
    select distinct windows.condition, windows.step_us
    from windows
    inner join coverage_gaps
        on
            coverage_gaps.table_name = 'acks'
            and coverage_gaps.from_us < windows.step_us
            and coverage_gaps.until_us > windows.step_us - windows.window_us
)

select
    windows.condition,
    windows.step_us,
    case
        when silent.condition is not null then 'unknown'
        when coalesce(windows.outcomes, 0) > 0
            then case
                when cast(windows.errors as double) <= windows.max_ratio * windows.outcomes then 'good' else 'bad'
            end
        when
            baselines.outcomes > 0
            and cast(baselines.outcomes as double) * windows.window_us
            >= 10 * cast(clock_steps.clock_started_us - baselines.first_us as double)
            then 'bad'
        else 'unknown'
    end as state,
    case when windows.outcomes > 0 then cast(windows.errors as double) / windows.outcomes end as measured
from windows
inner join clock_steps on clock_steps.step_us = windows.step_us
cross join baselines
left join silent on silent.condition = windows.condition and silent.step_us = windows.step_us
