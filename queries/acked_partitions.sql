-- Which partitions took acknowledged records, and from which offset on?
-- Measure: M3
-- Grain: one row per (cluster, topic, partition)
-- Reads: acked_words, crowded_records
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   lowest_offset bigint  lowest acknowledged offset
--   highest_offset bigint  highest acknowledged offset
--   records bigint  acknowledged records
-- Method: Extremes over the words of each partition. Every acknowledged offset is a record, and where several records
--   share one, each of them is.
with crowds as (
    select log_number, count(*) - count(distinct record_offset) as further_records
    from crowded_records
    group by log_number
),

totals as (
    select
        log_number, cluster, topic, partition,
        min(lowest_offset) as lowest_offset,
        max(highest_offset) as highest_offset,
        sum(bit_count(acked_bits)) as offsets
    from acked_words
    group by log_number, cluster, topic, partition
)

select
    totals.cluster,
    totals.topic,
    totals.partition,
    totals.lowest_offset,
    totals.highest_offset,
    cast(totals.offsets + coalesce(crowds.further_records, 0) as bigint) as records
from totals
left join crowds on crowds.log_number = totals.log_number
