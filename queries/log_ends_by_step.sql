-- Where did each log end, step by step, and where did the next sample find it?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, step) with a sample before or after it
-- Reads: steps, drill_objectives, watermarks, group_partitions, acks
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   step_us bigint  step, microseconds since the epoch
--   log_end_offset bigint  as of the step, null before the first sample
--   observed_us bigint  when that was seen, microseconds since the epoch; null where acknowledgements stand in
--   next_log_end_offset bigint  first sample at or after the step, null after the last
--   lowest_log_end_offset bigint  lowest sample since the step before, exclusive, null without one
-- Method: The latest watermark at or before the step and the first at or after it. Where no watermarks were captured
--   at all, the highest acknowledged offset + 1. Most steps have a sample of their own; the others look for theirs among
--   the steps beside such steps, so that nothing but these is put in order.
with captured as (
    select count(*) as samples from watermarks
),

logs as (
    select
        cluster, topic, partition,
        cast(row_number() over (order by cluster, topic, partition) as integer) as log_number
    from (select distinct cluster, topic, partition from group_partitions) as distinct_logs
),

sampled as (
    select
        logs.log_number,
        watermarks.observed_us,
        max(watermarks.log_end_offset) as highest_end_offset,
        min(watermarks.log_end_offset) as lowest_end_offset
    from watermarks
    inner join logs
        on
            logs.cluster = watermarks.cluster
            and logs.topic = watermarks.topic
            and logs.partition = watermarks.partition
    group by logs.log_number, watermarks.observed_us
),

last_before as (
    select
        sampled.log_number,
        sampled.observed_us
        + (drill_objectives.step_us - sampled.observed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us,
        max(sampled.observed_us) as observed_us,
        max_by(sampled.highest_end_offset, sampled.observed_us) as log_end_offset,
        min(sampled.lowest_end_offset) as lowest_log_end_offset
    from sampled
    cross join drill_objectives
    group by 1, 2
),

first_after as (
    select
        sampled.log_number,
        sampled.observed_us - sampled.observed_us % drill_objectives.step_us as step_us,
        min_by(sampled.lowest_end_offset, sampled.observed_us) as log_end_offset
    from sampled
    cross join drill_objectives
    group by 1, 2
),

met as (
    select
        logs.log_number, steps.step_us, last_before.observed_us, last_before.log_end_offset,
        last_before.lowest_log_end_offset,
        first_after.log_end_offset as next_log_end_offset
    from logs
    cross join steps
    left join last_before on last_before.log_number = logs.log_number and last_before.step_us = steps.step_us
    left join first_after on first_after.log_number = logs.log_number and first_after.step_us = steps.step_us
),

unmet_before as (
    select met.log_number, met.step_us, met.step_us - drill_objectives.step_us as previous_step_us
    from met
    cross join drill_objectives
    where met.log_end_offset is null
),

unmet_after as (
    select met.log_number, met.step_us, met.step_us + drill_objectives.step_us as following_step_us
    from met
    cross join drill_objectives
    where met.next_log_end_offset is null
),

framed_before as (
    select
        log_number, step_us, is_met,
        max(case when is_met then step_us end) over (
            partition by log_number order by step_us rows unbounded preceding
        ) as last_step_us
    from (
        select log_number, step_us, false as is_met from unmet_before
        union all
        select met.log_number, met.step_us, true
        from met
        inner join unmet_before
            on unmet_before.log_number = met.log_number and unmet_before.previous_step_us = met.step_us
        where met.log_end_offset is not null
    ) as beside
),

framed_after as (
    select
        log_number, step_us, is_met,
        min(case when is_met then step_us end) over (
            partition by log_number order by step_us desc rows unbounded preceding
        ) as next_step_us
    from (
        select log_number, step_us, false as is_met from unmet_after
        union all
        select met.log_number, met.step_us, true
        from met
        inner join unmet_after
            on unmet_after.log_number = met.log_number and unmet_after.following_step_us = met.step_us
        where met.next_log_end_offset is not null
    ) as beside
),

carried_before as (
    select framed_before.log_number, framed_before.step_us, met.observed_us, met.log_end_offset
    from met
    inner join framed_before
        on framed_before.log_number = met.log_number and framed_before.last_step_us = met.step_us
    where not framed_before.is_met
),

carried_after as (
    select framed_after.log_number, framed_after.step_us, met.next_log_end_offset
    from met
    inner join framed_after on framed_after.log_number = met.log_number and framed_after.next_step_us = met.step_us
    where not framed_after.is_met
),

acknowledged as (
    select
        logs.log_number,
        acks.acked_us + (drill_objectives.step_us - acks.acked_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us,
        max(acks.record_offset) + 1 as log_end_offset
    from acks
    inner join captured on captured.samples = 0
    inner join logs
        on logs.cluster = acks.cluster and logs.topic = acks.topic and logs.partition = acks.partition
    cross join drill_objectives
    where acks.outcome = 'acked'
    group by 1, 2
),

acknowledged_by_step as (
    select
        logs.log_number,
        steps.step_us,
        max(acknowledged.log_end_offset) over (
            partition by logs.log_number order by steps.step_us rows unbounded preceding
        ) as log_end_offset
    from logs
    cross join steps
    inner join captured on captured.samples = 0
    left join acknowledged on acknowledged.log_number = logs.log_number and acknowledged.step_us = steps.step_us
),

ends as (
    select
        met.log_number,
        met.step_us,
        coalesce(met.log_end_offset, carried_before.log_end_offset, acknowledged_by_step.log_end_offset)
            as log_end_offset,
        coalesce(met.observed_us, carried_before.observed_us) as observed_us,
        coalesce(met.next_log_end_offset, carried_after.next_log_end_offset) as next_log_end_offset,
        met.lowest_log_end_offset
    from met
    left join carried_before on carried_before.log_number = met.log_number and carried_before.step_us = met.step_us
    left join carried_after on carried_after.log_number = met.log_number and carried_after.step_us = met.step_us
    left join acknowledged_by_step
        on acknowledged_by_step.log_number = met.log_number and acknowledged_by_step.step_us = met.step_us
)

select
    logs.cluster,
    logs.topic,
    logs.partition,
    ends.step_us,
    ends.log_end_offset,
    ends.observed_us,
    ends.next_log_end_offset,
    ends.lowest_log_end_offset
from ends
inner join logs on logs.log_number = ends.log_number
where ends.log_end_offset is not null or ends.next_log_end_offset is not null
