-- When did the recovery clock start?
-- Measure: M9
-- Grain: one row
-- Reads: events, drill_objectives
-- Parameters: none
-- Returns:
--   clock_started_us bigint  first event of the kind that starts the clock, null if there is none, microseconds since the epoch
-- Method: The earliest event of kind clock_starts.
select min(case when events.kind = drill_objectives.clock_starts then events.occurred_us end) as clock_started_us
from drill_objectives
left join events on true
