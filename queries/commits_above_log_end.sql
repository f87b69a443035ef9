-- Which commits lie above the log end that the next sample found?
-- Measure: M6
-- Grain: one row per commit of a group of the flow, on its topics, above the log end
-- Reads: group_commits, group_topics, watermarks, log_ends_by_step, drill_objectives
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster committed to
--   topic varchar  physical topic
--   partition integer  partition
--   partition_position bigint  place among the commits of the group on this partition, from 1
--   committed_offset bigint  the next offset to read
--   committed_us bigint  commit time, microseconds since the epoch
--   log_end_offset bigint  first sampled log end at or after the commit, the lowest where several were sampled at once
-- Method: The next sample lies before the step that follows the commit, or is the next one from that step on. Only
--   commits above the lowest of all these can be above it: most are not, and only the others are compared by instant.
with flow_commits as (
    select
        group_commits.group_id,
        group_commits.cluster,
        group_commits.topic,
        group_commits.partition,
        group_commits.partition_position,
        group_commits.committed_offset,
        group_commits.committed_us,
        group_commits.committed_us
        + (drill_objectives.step_us - group_commits.committed_us % drill_objectives.step_us) % drill_objectives.step_us
            as step_us
    from group_commits
    inner join group_topics
        on
            group_topics.group_id = group_commits.group_id
            and group_topics.cluster = group_commits.cluster
            and group_topics.topic = group_commits.topic
    cross join drill_objectives
),

suspects as (
    select
        flow_commits.group_id, flow_commits.cluster, flow_commits.topic, flow_commits.partition,
        flow_commits.partition_position, flow_commits.committed_offset, flow_commits.committed_us,
        flow_commits.step_us, log_ends_by_step.next_log_end_offset
    from flow_commits
    left join log_ends_by_step
        on
            log_ends_by_step.cluster = flow_commits.cluster
            and log_ends_by_step.topic = flow_commits.topic
            and log_ends_by_step.partition = flow_commits.partition
            and log_ends_by_step.step_us = flow_commits.step_us
    where
        log_ends_by_step.step_us is null
        or flow_commits.committed_offset > log_ends_by_step.lowest_log_end_offset
        or flow_commits.committed_offset > log_ends_by_step.next_log_end_offset
),

suspect_steps as (
    select distinct cluster, topic, partition, step_us from suspects
),

instants as (
    select distinct
        cluster, topic, partition, step_us, committed_us as instant_us, 0 as is_sample,
        cast(null as bigint) as log_end_offset
    from suspects
    union all
    select
        watermarks.cluster, watermarks.topic, watermarks.partition, suspect_steps.step_us, watermarks.observed_us,
        1 as is_sample, min(watermarks.log_end_offset) as log_end_offset
    from watermarks
    cross join drill_objectives
    inner join suspect_steps
        on
            suspect_steps.cluster = watermarks.cluster
            and suspect_steps.topic = watermarks.topic
            and suspect_steps.partition = watermarks.partition
            and suspect_steps.step_us = watermarks.observed_us
            + (drill_objectives.step_us - watermarks.observed_us % drill_objectives.step_us) % drill_objectives.step_us
    group by
        watermarks.cluster, watermarks.topic, watermarks.partition, suspect_steps.step_us, watermarks.observed_us
),

ends as (
    select
        cluster, topic, partition, step_us, instant_us, is_sample, log_end_offset,
        sum(is_sample) over (
            partition by cluster, topic, partition, step_us order by instant_us desc, is_sample desc
            rows unbounded preceding
        ) as samples_after
    from instants
),

next_ends as (
    select commits.cluster, commits.topic, commits.partition, commits.instant_us, samples.log_end_offset
    from ends as commits
    inner join ends as samples
        on
            samples.cluster = commits.cluster
            and samples.topic = commits.topic
            and samples.partition = commits.partition
            and samples.step_us = commits.step_us
            and samples.samples_after = commits.samples_after
            and samples.is_sample = 1
    where commits.is_sample = 0
),

compared as (
    select suspects.*, coalesce(next_ends.log_end_offset, suspects.next_log_end_offset) as log_end_offset
    from suspects
    left join next_ends
        on
            next_ends.cluster = suspects.cluster
            and next_ends.topic = suspects.topic
            and next_ends.partition = suspects.partition
            and next_ends.instant_us = suspects.committed_us
)

select
    group_id, cluster, topic, partition, partition_position, committed_offset, committed_us, log_end_offset
from compared
where committed_offset > log_end_offset
