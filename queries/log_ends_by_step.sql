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
-- Method: The latest watermark at or before the step and the first at or after it. Where no watermarks were captured
--   at all, the highest acknowledged offset + 1.
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
        max_by(sampled.highest_end_offset, sampled.observed_us) as log_end_offset
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

framed as (
    select
        logs.log_number,
        steps.step_us,
        max(last_before.step_us) over (
            partition by logs.log_number order by steps.step_us rows unbounded preceding
        ) as last_step_us,
        min(first_after.step_us) over (
            partition by logs.log_number order by steps.step_us desc rows unbounded preceding
        ) as next_step_us,
        max(acknowledged.log_end_offset) over (
            partition by logs.log_number order by steps.step_us rows unbounded preceding
        ) as acknowledged_end_offset
    from logs
    cross join steps
    left join last_before on last_before.log_number = logs.log_number and last_before.step_us = steps.step_us
    left join first_after on first_after.log_number = logs.log_number and first_after.step_us = steps.step_us
    left join acknowledged on acknowledged.log_number = logs.log_number and acknowledged.step_us = steps.step_us
)

select
    logs.cluster,
    logs.topic,
    logs.partition,
    framed.step_us,
    coalesce(last_before.log_end_offset, framed.acknowledged_end_offset) as log_end_offset,
    last_before.observed_us,
    first_after.log_end_offset as next_log_end_offset
from framed
inner join logs on logs.log_number = framed.log_number
left join last_before
    on last_before.log_number = framed.log_number and last_before.step_us = framed.last_step_us
left join first_after
    on first_after.log_number = framed.log_number and first_after.step_us = framed.next_step_us
where
    last_before.log_end_offset is not null
    or framed.acknowledged_end_offset is not null
    or first_after.log_end_offset is not null
