-- How many records does each group lag behind on each partition, step by step?
-- Measure: M7
-- Grain: one row per (group, cluster, topic, partition, step), on the cluster where the group counts
-- Reads: group_partitions, group_clusters, commits_by_step, log_ends_by_step
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   step_us bigint  step, microseconds since the epoch
--   log_end_offset bigint  as of the step
--   log_end_observed_us bigint  when that was seen, null where acknowledgements stand in
--   committed_offset bigint  as of the step
--   is_polled boolean  whether that commit was sampled
--   commit_seen_us bigint  when that commit was seen
--   lag_records bigint  log end − committed, not below 0; null if either is not known yet
--   lag_records_high bigint  next sampled log end − committed, not below 0; null after the last sample
-- Method: Between two samples the lag lies between lag_records and lag_records_high as far as the log end goes.
select
    group_partitions.group_id,
    group_partitions.cluster,
    group_partitions.topic,
    group_partitions.partition,
    group_clusters.step_us,
    log_ends_by_step.log_end_offset,
    log_ends_by_step.observed_us as log_end_observed_us,
    commits_by_step.committed_offset,
    commits_by_step.is_polled,
    commits_by_step.seen_us as commit_seen_us,
    case
        when log_ends_by_step.log_end_offset is null or commits_by_step.committed_offset is null then null
        when log_ends_by_step.log_end_offset > commits_by_step.committed_offset
            then log_ends_by_step.log_end_offset - commits_by_step.committed_offset
        else 0
    end as lag_records,
    case
        when log_ends_by_step.next_log_end_offset is null or commits_by_step.committed_offset is null then null
        when log_ends_by_step.next_log_end_offset > commits_by_step.committed_offset
            then log_ends_by_step.next_log_end_offset - commits_by_step.committed_offset
        else 0
    end as lag_records_high
from group_partitions
inner join group_clusters
    on group_clusters.group_id = group_partitions.group_id and group_clusters.cluster = group_partitions.cluster
left join commits_by_step
    on
        commits_by_step.group_id = group_partitions.group_id
        and commits_by_step.cluster = group_partitions.cluster
        and commits_by_step.topic = group_partitions.topic
        and commits_by_step.partition = group_partitions.partition
        and commits_by_step.step_us = group_clusters.step_us
left join log_ends_by_step
    on
        log_ends_by_step.cluster = group_partitions.cluster
        and log_ends_by_step.topic = group_partitions.topic
        and log_ends_by_step.partition = group_partitions.partition
        and log_ends_by_step.step_us = group_clusters.step_us
