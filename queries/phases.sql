-- When did each phase of the recovery end?
-- Measure: M9
-- Grain: one row per phase
-- Reads: events, clock, recovery_times, produce_spans, group_commits, drill_conditions
-- Parameters: none
-- Returns:
--   position integer  order of the phases, from 1
--   phase varchar  inject, detect, declare, decide, switch, first_ack, first_commit, lag_good, downstream_good or restored
--   occurred_us bigint  when it ended, null if that is not known, microseconds since the epoch
-- Method: The first five are the first events of that kind. First ack and first commit (one that moves forward) are the
--   first after the clock start, the impact and the switch. Lag and downstream are good when the last of their
--   conditions is restored.
with first_events as (
    select kind, min(occurred_us) as occurred_us
    from events
    group by kind
),

impacts as (
    select max(impact_us) as impact_us
    from recovery_times
    where condition = 'all'
),

switches as (
    select max(occurred_us) as switched_us from first_events where kind = 'switch'
),

turns as (
    select
        clock.clock_started_us,
        greatest(
            clock.clock_started_us,
            coalesce(impacts.impact_us, clock.clock_started_us),
            coalesce(switches.switched_us, clock.clock_started_us)
        ) as turned_us
    from clock
    cross join impacts
    cross join switches
),

moves as (
    select
        committed_us,
        committed_offset,
        lag(committed_offset) over (
            partition by group_id, cluster, topic, partition order by partition_position
        ) as previous_offset
    from group_commits
),

restored as (
    select
        drill_conditions.kind,
        case when count(*) = count(recovery_times.restored_us) then max(recovery_times.restored_us) end as occurred_us
    from drill_conditions
    left join recovery_times on recovery_times.condition = drill_conditions.condition
    group by drill_conditions.kind
),

named as (
    select 1 as position, 'inject' as phase union all
    select 2, 'detect' union all
    select 3, 'declare' union all
    select 4, 'decide' union all
    select 5, 'switch'
)

select named.position, named.phase, first_events.occurred_us
from named
left join first_events on first_events.kind = named.phase
union all
select 6, 'first_ack', min(produce_spans.first_us)
from turns
left join produce_spans on produce_spans.outcome = 'acked' and produce_spans.first_us > turns.turned_us
union all
select 7, 'first_commit', min(moves.committed_us)
from turns
left join moves
    on moves.committed_us > turns.turned_us and coalesce(moves.committed_offset > moves.previous_offset, true)
union all
select 8, 'lag_good', max(occurred_us) from restored where kind = 'lag'
union all
select 9, 'downstream_good', max(occurred_us) from restored where kind = 'applied'
union all
select 10, 'restored', max(restored_us) from recovery_times where condition = 'all'
