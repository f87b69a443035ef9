-- When did the first record at or above each committed offset enter the log?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, committed_offset) with lag, where that record was captured
-- Reads: offset_lag, acked_records, acked_partitions, log_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  offset committed while there was lag
--   head_us bigint  acknowledged (else appended) time of the record, microseconds since the epoch
-- Method: The few committed offsets drive the many records: first those that stand exactly there, then, for the rest,
--   the next above. Never extrapolated: nothing where every captured record of the partition is above.
with needed as (
    select distinct cluster, topic, partition, committed_offset
    from offset_lag
    where lag_records > 0
),

exact_acks as (
    select
        needed.cluster, needed.topic, needed.partition, needed.committed_offset,
        min(acked_records.first_acked_us) as head_us
    from needed
    inner join acked_records
        on
            acked_records.cluster = needed.cluster
            and acked_records.topic = needed.topic
            and acked_records.partition = needed.partition
            and acked_records.record_offset = needed.committed_offset
    group by needed.cluster, needed.topic, needed.partition, needed.committed_offset
),

exact_log as (
    select
        needed.cluster, needed.topic, needed.partition, needed.committed_offset,
        min(log_records.appended_us) as head_us
    from needed
    inner join log_records
        on
            log_records.cluster = needed.cluster
            and log_records.topic = needed.topic
            and log_records.partition = needed.partition
            and log_records.record_offset = needed.committed_offset
    where log_records.appended_us is not null
    group by needed.cluster, needed.topic, needed.partition, needed.committed_offset
),

exact as (
    select
        needed.cluster,
        needed.topic,
        needed.partition,
        needed.committed_offset,
        coalesce(exact_acks.head_us, exact_log.head_us) as head_us
    from needed
    left join exact_acks
        on
            exact_acks.cluster = needed.cluster
            and exact_acks.topic = needed.topic
            and exact_acks.partition = needed.partition
            and exact_acks.committed_offset = needed.committed_offset
    left join exact_log
        on
            exact_log.cluster = needed.cluster
            and exact_log.topic = needed.topic
            and exact_log.partition = needed.partition
            and exact_log.committed_offset = needed.committed_offset
),

log_partitions as (
    select cluster, topic, partition, min(record_offset) as lowest_offset
    from log_records
    where appended_us is not null
    group by cluster, topic, partition
),

open_ends as (
    select exact.cluster, exact.topic, exact.partition, exact.committed_offset
    from exact
    left join acked_partitions
        on
            acked_partitions.cluster = exact.cluster
            and acked_partitions.topic = exact.topic
            and acked_partitions.partition = exact.partition
    left join log_partitions
        on
            log_partitions.cluster = exact.cluster
            and log_partitions.topic = exact.topic
            and log_partitions.partition = exact.partition
    where
        exact.head_us is null
        and (
            acked_partitions.lowest_offset < exact.committed_offset
            or log_partitions.lowest_offset < exact.committed_offset
        )
),

next_acks as (
    select
        open_ends.cluster, open_ends.topic, open_ends.partition, open_ends.committed_offset,
        min(acked_records.record_offset) as record_offset
    from open_ends
    inner join acked_records
        on
            acked_records.cluster = open_ends.cluster
            and acked_records.topic = open_ends.topic
            and acked_records.partition = open_ends.partition
            and acked_records.record_offset > open_ends.committed_offset
    group by open_ends.cluster, open_ends.topic, open_ends.partition, open_ends.committed_offset
),

next_log as (
    select
        open_ends.cluster, open_ends.topic, open_ends.partition, open_ends.committed_offset,
        min(log_records.record_offset) as record_offset
    from open_ends
    inner join log_records
        on
            log_records.cluster = open_ends.cluster
            and log_records.topic = open_ends.topic
            and log_records.partition = open_ends.partition
            and log_records.record_offset > open_ends.committed_offset
    where log_records.appended_us is not null
    group by open_ends.cluster, open_ends.topic, open_ends.partition, open_ends.committed_offset
),

above as (
    select
        cluster, topic, partition, committed_offset,
        min(record_offset) as record_offset
    from (
        select cluster, topic, partition, committed_offset, record_offset from next_acks
        union all
        select cluster, topic, partition, committed_offset, record_offset from next_log
    ) as candidates
    group by cluster, topic, partition, committed_offset
),

above_acks as (
    select
        above.cluster, above.topic, above.partition, above.committed_offset,
        min(acked_records.first_acked_us) as head_us
    from above
    inner join acked_records
        on
            acked_records.cluster = above.cluster
            and acked_records.topic = above.topic
            and acked_records.partition = above.partition
            and acked_records.record_offset = above.record_offset
    group by above.cluster, above.topic, above.partition, above.committed_offset
),

above_log as (
    select
        above.cluster, above.topic, above.partition, above.committed_offset,
        min(log_records.appended_us) as head_us
    from above
    inner join log_records
        on
            log_records.cluster = above.cluster
            and log_records.topic = above.topic
            and log_records.partition = above.partition
            and log_records.record_offset = above.record_offset
    group by above.cluster, above.topic, above.partition, above.committed_offset
)

select cluster, topic, partition, committed_offset, head_us
from exact
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
