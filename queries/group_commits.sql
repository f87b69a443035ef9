-- In which order did the groups of the flow commit which offsets?
-- Measure: M1
-- Grain: one row per commit of a group of the flow, whatever the topic
-- Reads: commits, drill_groups
-- Parameters: none
-- Returns:
--   group_id varchar  consumer group
--   cluster varchar  cluster committed to
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  the next offset to read
--   committed_us bigint  commit time, microseconds since the epoch
--   seen_us bigint  when the collector saw it, else the commit time, microseconds since the epoch
--   is_polled boolean  whether it was sampled rather than read from the commit log
--   group_position bigint  place among all commits of the group, from 1
--   partition_position bigint  place among the commits of the group on this partition, from 1
-- Method: By committed_at, commit_seq, observed_at, committed_offset; unknown values come first.
select
    commits.group_id,
    commits.cluster,
    commits.topic,
    commits.partition,
    commits.committed_offset,
    commits.committed_us,
    coalesce(commits.observed_us, commits.committed_us) as seen_us,
    coalesce(commits.method = 'poll', false) as is_polled,
    row_number() over (
        partition by commits.group_id
        order by
            commits.committed_us,
            commits.commit_seq nulls first,
            commits.observed_us nulls first,
            commits.committed_offset,
            commits.cluster,
            commits.topic,
            commits.partition,
            commits.leader_epoch nulls first,
            commits.method nulls first
    ) as group_position,
    row_number() over (
        partition by commits.group_id, commits.cluster, commits.topic, commits.partition
        order by
            commits.committed_us,
            commits.commit_seq nulls first,
            commits.observed_us nulls first,
            commits.committed_offset,
            commits.leader_epoch nulls first,
            commits.method nulls first
    ) as partition_position
from commits
inner join drill_groups on drill_groups.group_id = commits.group_id
