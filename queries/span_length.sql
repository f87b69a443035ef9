-- Into which spans are outcomes and effects counted, before they are counted by step?
-- Measure: M9
-- Grain: one row
-- Reads: drill_objectives
-- Parameters: none
-- Returns:
--   span_us bigint  length of a span in microseconds
-- Method: A tenth of a step where that is a whole number of microseconds, else a step.
select case when step_us % 10 = 0 then cast(step_us / 10 as bigint) else step_us end as span_us
from drill_objectives
