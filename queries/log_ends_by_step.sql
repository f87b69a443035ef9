-- Where did each log end, step by step, and where did the next sample find it?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, step) with a sample before or after it
-- Reads: steps, drill_objectives, watermarks, group_partitions, acked_records
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
    select distinct cluster, topic, partition from group_partitions
),

sampled as (
    select
        watermarks.cluster,
        watermarks.topic,
        watermarks.partition,
        watermarks.log_end_offset,
        watermarks.observed_us,
        watermarks.observed_us
        + (drill_objectives.step_us - watermarks.observed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_after_us,
        watermarks.observed_us - watermarks.observed_us % drill_objectives.step_us as step_before_us
    from watermarks
    inner join logs
        on
            logs.cluster = watermarks.cluster
            and logs.topic = watermarks.topic
            and logs.partition = watermarks.partition
    cross join drill_objectives
),

last_before as (
    select
        cluster, topic, partition, step_after_us as step_us, observed_us, log_end_offset,
        row_number() over (
            partition by cluster, topic, partition, step_after_us order by observed_us desc, log_end_offset desc
        ) as place
    from sampled
),

first_after as (
    select
        cluster, topic, partition, step_before_us as step_us, log_end_offset,
        row_number() over (
            partition by cluster, topic, partition, step_before_us order by observed_us, log_end_offset
        ) as place
    from sampled
),

acknowledged as (
    select
        acked_records.cluster,
        acked_records.topic,
        acked_records.partition,
        acked_records.first_acked_us
        + (drill_objectives.step_us - acked_records.first_acked_us % drill_objectives.step_us)
        % drill_objectives.step_us as step_us,
        max(acked_records.record_offset) + 1 as log_end_offset
    from acked_records
    cross join drill_objectives
    cross join captured
    where captured.samples = 0
    group by 1, 2, 3, 4
),

framed as (
    select
        logs.cluster,
        logs.topic,
        logs.partition,
        steps.step_us,
        max(last_before.step_us) over (
            partition by logs.cluster, logs.topic, logs.partition order by steps.step_us rows unbounded preceding
        ) as last_step_us,
        min(first_after.step_us) over (
            partition by logs.cluster, logs.topic, logs.partition order by steps.step_us
            rows between current row and unbounded following
        ) as next_step_us,
        max(acknowledged.log_end_offset) over (
            partition by logs.cluster, logs.topic, logs.partition order by steps.step_us rows unbounded preceding
        ) as acknowledged_end_offset
    from logs
    cross join steps
    left join last_before
        on
            last_before.cluster = logs.cluster
            and last_before.topic = logs.topic
            and last_before.partition = logs.partition
            and last_before.step_us = steps.step_us
            and last_before.place = 1
    left join first_after
        on
            first_after.cluster = logs.cluster
            and first_after.topic = logs.topic
            and first_after.partition = logs.partition
            and first_after.step_us = steps.step_us
            and first_after.place = 1
    left join acknowledged
        on
            acknowledged.cluster = logs.cluster
            and acknowledged.topic = logs.topic
            and acknowledged.partition = logs.partition
            and acknowledged.step_us = steps.step_us
)

select
    framed.cluster,
    framed.topic,
    framed.partition,
    framed.step_us,
    coalesce(last_before.log_end_offset, framed.acknowledged_end_offset) as log_end_offset,
    last_before.observed_us,
    first_after.log_end_offset as next_log_end_offset
from framed
left join last_before
    on
        last_before.cluster = framed.cluster
        and last_before.topic = framed.topic
        and last_before.partition = framed.partition
        and last_before.step_us = framed.last_step_us
        and last_before.place = 1
left join first_after
    on
        first_after.cluster = framed.cluster
        and first_after.topic = framed.topic
        and first_after.partition = framed.partition
        and first_after.step_us = framed.next_step_us
        and first_after.place = 1
where
    last_before.log_end_offset is not null
    or framed.acknowledged_end_offset is not null
    or first_after.log_end_offset is not null
