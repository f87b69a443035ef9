-- What happened when: planned, recorded by people and tools, and measured?
-- Measure: M9
-- Grain: one row per event, planned step and measured phase
-- Reads: events, runbook_times, recovery_times, phases
-- Parameters: none
-- Returns:
--   occurred_us bigint  when it happened or was planned, microseconds since the epoch
--   origin varchar  event, planned or measured
--   kind varchar  event kind, runbook step or measured instant
--   step varchar  runbook step
--   actor varchar  who did it
--   channel varchar  where it was said
--   text varchar  what was said
--   source varchar  tool that recorded it
-- Method: Events as recorded, steps at their planned time, and impact, first ack, first commit and restored as measured.
select occurred_us, 'event' as origin, kind, step, actor, channel, text, source
from events
union all
select planned_us, 'planned', coalesce(event, step), step, null, null, null, 'drill.yaml'
from runbook_times
where planned_us is not null
union all
select impact_us, 'measured', 'impact', null, null, null, null, 'recovery.parquet'
from recovery_times
where condition = 'all' and impact_us is not null
union all
select occurred_us, 'measured', phase, null, null, null, null, 'recovery.parquet'
from phases
where position >= 6 and occurred_us is not null
