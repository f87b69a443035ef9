-- At which steps was each table not being captured?
-- Measure: M9
-- Grain: one row per (table, scope, step) inside a gap
-- Reads: coverage_gaps, steps
-- Parameters: none
-- Returns:
--   table_name varchar  evidence table
--   scope varchar  what the gap is limited to, empty for everything
--   step_us bigint  step, microseconds since the epoch
-- Method: Steps strictly inside a gap.
select distinct coverage_gaps.table_name, coverage_gaps.scope, steps.step_us
from coverage_gaps
inner join steps on steps.step_us > coverage_gaps.from_us and steps.step_us < coverage_gaps.until_us
