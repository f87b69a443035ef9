-- How large did the backlog of each group get, and when was it drained?
-- Measure: M8
-- Grain: one row per group of the flow
-- Reads: burn_down, lag, clock, drill_groups, drill_conditions, drill_objectives
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   threshold_records bigint  lag at or below which the backlog counts as drained
--   peak_lag_records bigint  highest total lag from the clock start on
--   peak_us bigint  first step with it, microseconds since the epoch
--   drained_us bigint  first step from the peak on that begins hold_seconds at or below the threshold
--   drain_seconds double  drained − peak
--   net_drain_rate double  records per second by which the backlog shrank
--   ingress_records_per_second double  growth of the log ends between peak and drained, null unless drained
--   egress_records_per_second double  growth of the committed offsets between peak and drained, null unless drained
--   backlog_area_record_seconds double  sum of lag × step from the clock start to drained (else the end)
--   final_lag_records bigint  total at the last step, null if a partition is not known
--   stalls bigint  stretches of 10 s or more without progress while above the threshold
--   longest_stall_seconds double  the longest of them, 0 if none
--   last_topic varchar  topic of the partition that drained last
--   last_partition integer  that partition
--   projected_seconds double  if not drained: seconds still needed at the rate of the last 30 s, null if not shrinking
-- Method: The threshold is max_records of the group's first lag condition, else 0. Steps with unknown partitions do not
--   count as drained.
with thresholds as (
    select group_id, max_records, row_number() over (partition by group_id order by condition_index) as place
    from drill_conditions
    where kind = 'lag' and max_records is not null
),

totals as (
    select
        burn_down.*,
        drill_objectives.hold_us,
        drill_objectives.step_us as step_length_us,
        coalesce(thresholds.max_records, 0) as threshold_records,
        max(burn_down.step_us) over (partition by burn_down.group_id) as last_step_us
    from burn_down
    inner join clock on burn_down.step_us >= clock.clock_started_us
    cross join drill_objectives
    left join thresholds on thresholds.group_id = burn_down.group_id and thresholds.place = 1
),

peaks as (
    select group_id, max(lag_records) as peak_lag_records
    from totals
    group by group_id
),

peak_steps as (
    select totals.group_id, peaks.peak_lag_records, min(totals.step_us) as peak_us
    from totals
    inner join peaks on peaks.group_id = totals.group_id and peaks.peak_lag_records = totals.lag_records
    group by totals.group_id, peaks.peak_lag_records
),

judged as (
    select
        totals.*,
        partitions_unknown = 0 and lag_records <= threshold_records as is_low,
        min(case when partitions_unknown = 0 and lag_records <= threshold_records then null else step_us end) over (
            partition by group_id order by step_us desc rows unbounded preceding
        ) as next_high_us
    from totals
),

drains as (
    select judged.group_id, min(judged.step_us) as drained_us
    from judged
    inner join peak_steps on peak_steps.group_id = judged.group_id and judged.step_us >= peak_steps.peak_us
    where
        judged.is_low
        and judged.last_step_us >= judged.step_us + judged.hold_us
        and coalesce(judged.next_high_us > judged.step_us + judged.hold_us, true)
    group by judged.group_id
),

spans as (
    select
        peak_steps.group_id,
        peak_steps.peak_lag_records,
        peak_steps.peak_us,
        drains.drained_us
    from peak_steps
    left join drains on drains.group_id = peak_steps.group_id
),

areas as (
    select
        totals.group_id,
        cast(sum(totals.lag_records) as double) as step_records
    from totals
    inner join spans on spans.group_id = totals.group_id
    where spans.drained_us is null or totals.step_us <= spans.drained_us
    group by totals.group_id
),

ends as (
    select group_id, step_us, lag_records, cluster, log_end_offsets, committed_offsets
    from burn_down
),

final_totals as (
    select burn_down.group_id, burn_down.lag_records, burn_down.partitions_unknown
    from burn_down
    inner join (select group_id, max(step_us) as last_step_us from burn_down group by group_id) as last_steps
        on last_steps.group_id = burn_down.group_id and last_steps.last_step_us = burn_down.step_us
),

moving as (
    select
        totals.group_id,
        totals.step_us,
        totals.step_length_us,
        coalesce(totals.egress_records_per_second <= 0, false) and totals.lag_records > totals.threshold_records
            as is_stalled
    from totals
),

stall_steps as (
    select
        group_id, step_us, step_length_us,
        step_us
        - step_length_us * row_number() over (partition by group_id order by step_us) as island
    from moving
    where is_stalled
),

stall_runs as (
    select group_id, island, cast(count(*) * max(step_length_us) as double) / 1000000 as stall_seconds
    from stall_steps
    group by group_id, island
),

stall_totals as (
    select
        group_id,
        sum(case when stall_seconds >= 10 then 1 else 0 end) as stalls,
        max(case when stall_seconds >= 10 then stall_seconds else 0 end) as longest_stall_seconds
    from stall_runs
    group by group_id
),

late_partitions as (
    select
        lag.group_id, lag.topic, lag.partition,
        row_number() over (
            partition by lag.group_id order by max(lag.step_us) desc, lag.topic, lag.partition
        ) as place
    from lag
    inner join spans on spans.group_id = lag.group_id
    inner join clock on lag.step_us >= clock.clock_started_us
    where lag.lag_records > 0 and (spans.drained_us is null or lag.step_us <= spans.drained_us)
    group by lag.group_id, lag.topic, lag.partition
),

recent as (
    select
        totals.group_id,
        min(totals.step_us) as first_us,
        max(totals.step_us) as last_us
    from totals
    where totals.partitions_unknown = 0 and totals.step_us >= totals.last_step_us - 30000000
    group by totals.group_id
),

slopes as (
    select
        recent.group_id,
        latest.lag_records,
        cast(earliest.lag_records - latest.lag_records as double)
        / nullif(cast(recent.last_us - recent.first_us as double) / 1000000, 0) as shrinking_per_second
    from recent
    inner join ends as earliest on earliest.group_id = recent.group_id and earliest.step_us = recent.first_us
    inner join ends as latest on latest.group_id = recent.group_id and latest.step_us = recent.last_us
)

select
    drill_groups.group_id,
    coalesce(thresholds.max_records, 0) as threshold_records,
    spans.peak_lag_records,
    spans.peak_us,
    spans.drained_us,
    cast(spans.drained_us - spans.peak_us as double) / 1000000 as drain_seconds,
    cast(spans.peak_lag_records - drained.lag_records as double)
    / nullif(cast(spans.drained_us - spans.peak_us as double) / 1000000, 0) as net_drain_rate,
    case when at_peak.cluster = drained.cluster
            then cast(drained.log_end_offsets - at_peak.log_end_offsets as double)
            / nullif(cast(spans.drained_us - spans.peak_us as double) / 1000000, 0)
    end as ingress_records_per_second,
    case when at_peak.cluster = drained.cluster
            then cast(drained.committed_offsets - at_peak.committed_offsets as double)
            / nullif(cast(spans.drained_us - spans.peak_us as double) / 1000000, 0)
    end as egress_records_per_second,
    areas.step_records * drill_objectives.step_us / 1000000 as backlog_area_record_seconds,
    case when final_totals.partitions_unknown = 0 then final_totals.lag_records end as final_lag_records,
    cast(coalesce(stall_totals.stalls, 0) as bigint) as stalls,
    coalesce(stall_totals.longest_stall_seconds, cast(0 as double)) as longest_stall_seconds,
    late_partitions.topic as last_topic,
    late_partitions.partition as last_partition,
    case
        when spans.drained_us is null and slopes.shrinking_per_second > 0
            then cast(slopes.lag_records - coalesce(thresholds.max_records, 0) as double) / slopes.shrinking_per_second
    end as projected_seconds
from drill_groups
cross join drill_objectives
left join thresholds on thresholds.group_id = drill_groups.group_id and thresholds.place = 1
left join spans on spans.group_id = drill_groups.group_id
left join areas on areas.group_id = drill_groups.group_id
left join ends as drained on drained.group_id = drill_groups.group_id and drained.step_us = spans.drained_us
left join ends as at_peak on at_peak.group_id = drill_groups.group_id and at_peak.step_us = spans.peak_us
left join final_totals on final_totals.group_id = drill_groups.group_id
left join stall_totals on stall_totals.group_id = drill_groups.group_id
left join late_partitions on late_partitions.group_id = drill_groups.group_id and late_partitions.place = 1
left join slopes on slopes.group_id = drill_groups.group_id
