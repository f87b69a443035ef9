-- When did the first record at or above each committed offset enter the log?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, committed_offset) with lag, where that record was captured
-- Reads: backlog_starts, backlog_gaps, acks, acked_words, acked_partitions, log_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  committed offset
--   head_us bigint  when the first record at or above it was acknowledged (else appended), microseconds since the epoch
-- Method: The record that stands exactly there; for the rest the next above, found by way of the words. Never
--   extrapolated: nothing where every captured record of the partition is above.
with looked_at as (
    select distinct cluster, topic, partition from backlog_gaps
),

next_words as (
    select
        cluster, topic, partition, committed_offset,
        min(record_offset) over (
            partition by cluster, topic, partition order by place_offset desc, is_needed
            rows between unbounded preceding and 1 preceding
        ) as record_offset,
        is_needed
    from (
        select
            acked_words.cluster, acked_words.topic, acked_words.partition,
            acked_words.lowest_offset as place_offset,
            acked_words.lowest_offset as record_offset,
            0 as is_needed,
            cast(null as bigint) as committed_offset
        from acked_words
        inner join looked_at
            on
                looked_at.cluster = acked_words.cluster
                and looked_at.topic = acked_words.topic
                and looked_at.partition = acked_words.partition
        union all
        select
            cluster, topic, partition, committed_offset as place_offset, cast(null as bigint) as record_offset,
            1 as is_needed, committed_offset
        from backlog_gaps
    ) as places
),

next_acks as (
    select cluster, topic, partition, committed_offset, record_offset
    from next_words
    where is_needed = 1 and record_offset is not null
    union all
    select
        backlog_gaps.cluster, backlog_gaps.topic, backlog_gaps.partition, backlog_gaps.committed_offset,
        min(acks.record_offset) as record_offset
    from acks
    inner join backlog_gaps
        on
            acks.cluster = backlog_gaps.cluster
            and acks.topic = backlog_gaps.topic
            and acks.partition = backlog_gaps.partition
            and word_of(acks.record_offset) = word_of(backlog_gaps.committed_offset)
    where acks.outcome = 'acked' and acks.record_offset > backlog_gaps.committed_offset
    group by
        backlog_gaps.cluster, backlog_gaps.topic, backlog_gaps.partition, backlog_gaps.committed_offset
),

logged_words as (
    select
        log_records.cluster, log_records.topic, log_records.partition,
        min(log_records.record_offset) as lowest_offset
    from log_records
    inner join looked_at
        on
            looked_at.cluster = log_records.cluster
            and looked_at.topic = log_records.topic
            and looked_at.partition = log_records.partition
    where log_records.appended_us is not null
    group by log_records.cluster, log_records.topic, log_records.partition, word_of(log_records.record_offset)
),

next_logged_words as (
    select
        cluster, topic, partition, committed_offset,
        min(record_offset) over (
            partition by cluster, topic, partition order by place_offset desc, is_needed
            rows between unbounded preceding and 1 preceding
        ) as record_offset,
        min(record_offset) over (partition by cluster, topic, partition) as lowest_offset,
        is_needed
    from (
        select
            cluster, topic, partition, lowest_offset as place_offset, lowest_offset as record_offset, 0 as is_needed,
            cast(null as bigint) as committed_offset
        from logged_words
        union all
        select
            cluster, topic, partition, committed_offset as place_offset, cast(null as bigint) as record_offset,
            1 as is_needed, committed_offset
        from backlog_gaps
    ) as places
),

next_logged as (
    select cluster, topic, partition, committed_offset, record_offset
    from next_logged_words
    where is_needed = 1 and record_offset is not null
    union all
    select
        backlog_gaps.cluster, backlog_gaps.topic, backlog_gaps.partition, backlog_gaps.committed_offset,
        min(log_records.record_offset) as record_offset
    from log_records
    inner join backlog_gaps
        on
            log_records.cluster = backlog_gaps.cluster
            and log_records.topic = backlog_gaps.topic
            and log_records.partition = backlog_gaps.partition
            and word_of(log_records.record_offset) = word_of(backlog_gaps.committed_offset)
    where log_records.appended_us is not null and log_records.record_offset > backlog_gaps.committed_offset
    group by
        backlog_gaps.cluster, backlog_gaps.topic, backlog_gaps.partition, backlog_gaps.committed_offset
),

open_ends as (
    select
        backlog_gaps.cluster, backlog_gaps.topic, backlog_gaps.partition, backlog_gaps.committed_offset
    from backlog_gaps
    left join acked_partitions
        on
            acked_partitions.cluster = backlog_gaps.cluster
            and acked_partitions.topic = backlog_gaps.topic
            and acked_partitions.partition = backlog_gaps.partition
    left join next_logged_words
        on
            next_logged_words.is_needed = 1
            and next_logged_words.cluster = backlog_gaps.cluster
            and next_logged_words.topic = backlog_gaps.topic
            and next_logged_words.partition = backlog_gaps.partition
            and next_logged_words.committed_offset = backlog_gaps.committed_offset
    where
        acked_partitions.lowest_offset < backlog_gaps.committed_offset
        or next_logged_words.lowest_offset < backlog_gaps.committed_offset
),

above as (
    select
        open_ends.cluster, open_ends.topic, open_ends.partition, open_ends.committed_offset,
        min(candidates.record_offset) as record_offset
    from open_ends
    inner join (
        select cluster, topic, partition, committed_offset, record_offset from next_acks
        union all
        select cluster, topic, partition, committed_offset, record_offset from next_logged
    ) as candidates
        on
            candidates.cluster = open_ends.cluster
            and candidates.topic = open_ends.topic
            and candidates.partition = open_ends.partition
            and candidates.committed_offset = open_ends.committed_offset
    group by open_ends.cluster, open_ends.topic, open_ends.partition, open_ends.committed_offset
),

above_acks as (
    select
        above.cluster, above.topic, above.partition, above.committed_offset,
        min(acks.acked_us) as head_us
    from acks
    inner join above
        on
            acks.cluster = above.cluster
            and acks.topic = above.topic
            and acks.partition = above.partition
            and acks.record_offset = above.record_offset
    where acks.outcome = 'acked'
    group by above.cluster, above.topic, above.partition, above.committed_offset
),

above_log as (
    select
        above.cluster, above.topic, above.partition, above.committed_offset,
        min(log_records.appended_us) as head_us
    from log_records
    inner join above
        on
            log_records.cluster = above.cluster
            and log_records.topic = above.topic
            and log_records.partition = above.partition
            and log_records.record_offset = above.record_offset
    group by above.cluster, above.topic, above.partition, above.committed_offset
)

select cluster, topic, partition, committed_offset, head_us
from backlog_starts
where head_us is not null
union all
select
    above.cluster,
    above.topic,
    above.partition,
    above.committed_offset,
    coalesce(above_acks.head_us, above_log.head_us) as head_us
from above
left join above_acks
    on
        above_acks.cluster = above.cluster
        and above_acks.topic = above.topic
        and above_acks.partition = above.partition
        and above_acks.committed_offset = above.committed_offset
left join above_log
    on
        above_log.cluster = above.cluster
        and above_log.topic = above.topic
        and above_log.partition = above.partition
        and above_log.committed_offset = above.committed_offset
