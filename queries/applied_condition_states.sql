-- Does each downstream apply records at its usual rate, step by step?
-- Measure: M9
-- Grain: one row per (applied condition, step)
-- Reads: clock_steps, steps, drill_conditions, drill_objectives, merged_applied, applied_spans, span_length, coverage_gaps
-- Parameters: none
-- Returns:
--   condition varchar  name of the condition
--   step_us bigint  step, microseconds since the epoch
--   state varchar  good, bad or unknown
--   measured double  applied rows per second in the window ÷ the mean rate before the clock start, null without one
-- Method: The window is (step − window, step]; running sums as for produces. The baseline is the mean rate from the
--   first applied row to the clock start; both sides are multiplied out so that a tie is a tie. A window that a gap of the collector touches is unknown.
with conditions as (
    select
        drill_conditions.condition,
        drill_conditions.downstream,
        drill_conditions.min_ratio,
        drill_conditions.window_us,
        drill_objectives.step_us as step_length_us
    from drill_conditions
    cross join drill_objectives
    where drill_conditions.kind = 'applied'
),

first_steps as (
    select min(step_us) as first_step_us from steps
),

odd_conditions as (
    select conditions.*
    from conditions
    cross join span_length
    where conditions.window_us % span_length.span_us <> 0
),

even_effects as (
    select
        conditions.condition,
        conditions.step_length_us,
        conditions.window_us,
        applied_spans.span_end_us as applied_us,
        applied_spans.effects
    from applied_spans
    inner join conditions on conditions.downstream = applied_spans.downstream
    cross join span_length
    where conditions.window_us % span_length.span_us = 0
),

odd_effects as (
    select
        conditions.condition,
        conditions.step_length_us,
        conditions.window_us,
        merged_applied.applied_us,
        1 as effects
    from merged_applied
    inner join odd_conditions as conditions on conditions.downstream = merged_applied.downstream
),

applied_rows as (
    select condition, step_length_us, window_us, applied_us, effects from even_effects
    union all
    select condition, step_length_us, window_us, applied_us, effects from odd_effects
),

arrivals as (
    select
        condition,
        applied_us + (step_length_us - applied_us % step_length_us) % step_length_us as step_us,
        sum(effects) as effects
    from applied_rows
    group by 1, 2
    union all
    select
        condition,
        applied_us + window_us + (step_length_us - (applied_us + window_us) % step_length_us) % step_length_us
            as step_us,
        -sum(effects) as effects
    from applied_rows
    group by 1, 2
),

step_changes as (
    select
        arrivals.condition,
        case when arrivals.step_us < first_steps.first_step_us then first_steps.first_step_us else arrivals.step_us end
            as step_us,
        sum(arrivals.effects) as effects
    from arrivals
    cross join first_steps
    group by
        arrivals.condition,
        case when arrivals.step_us < first_steps.first_step_us then first_steps.first_step_us else arrivals.step_us end
),

windows as (
    select
        conditions.condition,
        conditions.downstream,
        conditions.min_ratio,
        conditions.window_us,
        steps.step_us,
        cast(coalesce(sum(step_changes.effects) over (
            partition by conditions.condition order by steps.step_us rows unbounded preceding
        ), 0) as bigint) as effects
    from conditions
    cross join steps
    left join step_changes
        on step_changes.condition = conditions.condition and step_changes.step_us = steps.step_us
),

baselines as (
    select downstream, cast(sum(effects) as bigint) as effects, min(first_us) as first_us
    from applied_spans
    where is_before_clock
    group by downstream
),

silent as (
    select distinct windows.condition, windows.step_us
    from windows
    inner join coverage_gaps
        on
            coverage_gaps.table_name = 'applied'
            and coverage_gaps.scope in ('', windows.downstream)
            and coverage_gaps.from_us < windows.step_us
            and coverage_gaps.until_us > windows.step_us - windows.window_us
),

ratios as (
    select
        windows.condition,
        windows.step_us,
        windows.min_ratio,
        silent.condition is not null as is_silent,
        cast(windows.effects as double) * nullif(clock_steps.clock_started_us - baselines.first_us, 0) as scaled_effects,
        cast(baselines.effects as double) * windows.window_us as scaled_baseline
    from windows
    inner join clock_steps on clock_steps.step_us = windows.step_us
    left join baselines on baselines.downstream = windows.downstream
    left join silent on silent.condition = windows.condition and silent.step_us = windows.step_us
)

select
    condition,
    step_us,
    case
        when is_silent or scaled_effects is null then 'unknown'
        when scaled_effects >= min_ratio * scaled_baseline then 'good'
        else 'bad'
    end as state,
    scaled_effects / scaled_baseline as measured
from ratios
