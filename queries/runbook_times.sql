-- Which step of the runbook happened when, and how far from its plan?
-- Measure: M9
-- Grain: one row per step of the runbook
-- Reads: drill_runbook, events, clock
-- Parameters: none
-- Returns:
--   position integer  order in the runbook, from 1
--   step varchar  name of the step
--   event varchar  event kind that shows it, null if the definition names none
--   planned_us bigint  clock start + minute, null without either, microseconds since the epoch
--   occurred_us bigint  first event of that step or kind, null if there is none, microseconds since the epoch
--   late_seconds double  occurred − planned; negative if early
--   tolerance_seconds double  how late it may be
-- Method: An event belongs to a step if it names the step, or is of the step's event kind.
select
    drill_runbook.position,
    drill_runbook.step,
    drill_runbook.event,
    clock.clock_started_us + drill_runbook.after_us as planned_us,
    min(events.occurred_us) as occurred_us,
    cast(min(events.occurred_us) - (clock.clock_started_us + drill_runbook.after_us) as double) / 1000000 as late_seconds,
    drill_runbook.tolerance_seconds
from drill_runbook
cross join clock
left join events on events.step = drill_runbook.step or events.kind = drill_runbook.event
group by
    drill_runbook.position,
    drill_runbook.step,
    drill_runbook.event,
    drill_runbook.after_us,
    drill_runbook.tolerance_seconds,
    clock.clock_started_us
