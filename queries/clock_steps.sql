-- At which steps is recovery judged?
-- Measure: M9
-- Grain: one row per step at or after the clock start
-- Reads: steps, clock
-- Parameters: none
-- Returns:
--   step_us bigint  step, microseconds since the epoch
--   clock_started_us bigint  clock start, microseconds since the epoch
-- Method: Whole steps from the clock start to the last live evidence.
select steps.step_us, clock.clock_started_us
from steps
inner join clock on steps.step_us >= clock.clock_started_us
