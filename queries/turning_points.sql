-- At which instants between two steps does the runbook divide what was captured?
-- Measure: M9
-- Grain: one row
-- Reads: events, clock
-- Parameters: none
-- Returns:
--   clock_started_us bigint  clock start, microseconds since the epoch, null without one
--   switched_us bigint  first switch, microseconds since the epoch, null without one
-- Method: Everything else that divides stands on a step.
with clocks as (
    select min(clock_started_us) as clock_started_us from clock
),

switches as (
    select min(occurred_us) as switched_us from events where kind = 'switch'
)

select clocks.clock_started_us, switches.switched_us
from clocks
cross join switches
