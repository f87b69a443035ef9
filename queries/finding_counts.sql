-- How many findings of each kind are there?
-- Measure: M6
-- Grain: one row per kind
-- Reads: findings
-- Parameters: none
-- Returns:
--   kind varchar  run, commit_rewind, commit_jump, offset_reset or commit_above_log_end
--   findings bigint  findings of that kind
-- Method: Counted.
select kind, count(*) as findings
from findings
group by kind
