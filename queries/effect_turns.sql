-- Which applied rows begin or end a chain, in which effects follow each other in the order of their offsets?
-- Measure: M5
-- Grain: one row per applied row that begins or ends a chain within its word
-- Reads: applied
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster as captured
--   topic varchar  source topic
--   partition integer  source partition
--   word_offset bigint  first offset of the word
--   record_offset bigint  source offset
--   applied_us bigint  when it became visible, microseconds since the epoch
--   is_start boolean  whether no row leads to it: one at a lower offset of the word, and not later
--   is_end boolean  whether it leads to no row
-- Method: A row leads to one other at most, and one other at most leads to it. Here that is the one at the next higher
--   offset. On DuckDB it is whatever row was captured next, which costs no sorting; there are more chains then, no others.
with neighbors as (
    select
        downstream, cluster, topic, partition,
        word_of(record_offset) as word_offset,
        record_offset,
        applied_us,
        lag(record_offset) over (
            partition by downstream, cluster, topic, partition, word_of(record_offset)
            order by record_offset, applied_us
        ) as previous_offset,
        lag(applied_us) over (
            partition by downstream, cluster, topic, partition, word_of(record_offset)
            order by record_offset, applied_us
        ) as previous_us,
        lead(record_offset) over (
            partition by downstream, cluster, topic, partition, word_of(record_offset)
            order by record_offset, applied_us
        ) as next_offset,
        lead(applied_us) over (
            partition by downstream, cluster, topic, partition, word_of(record_offset)
            order by record_offset, applied_us
        ) as next_us
    from applied
    where record_offset is not null
),

turns as (
    select
        downstream, cluster, topic, partition, word_offset, record_offset, applied_us,
        not coalesce(previous_offset < record_offset and previous_us <= applied_us, false) as is_start,
        not coalesce(record_offset < next_offset and applied_us <= next_us, false) as is_end
    from neighbors
)

select downstream, cluster, topic, partition, word_offset, record_offset, applied_us, is_start, is_end
from turns
where is_start or is_end
