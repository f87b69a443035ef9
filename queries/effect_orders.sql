-- How many offsets of each word were applied in their order, as captured?
-- Measure: M5
-- Grain: one row per (source_hash, word_offset) with applied rows, and of each set of files read at once
-- Reads: applied
-- Parameters: none
-- Returns:
--   source_hash bigint  hash of downstream, cluster, topic and partition as captured
--   word_offset bigint  first offset of the word
--   ordered_offsets bigint  offsets first applied after all offsets of the word below them and before all above; 0 where that is not told
--   lowest_offset bigint  lowest offset with effects
--   highest_offset bigint  highest offset with effects
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
--   last_first_us bigint  latest effect at an offset above all before it, microseconds since the epoch
-- Method: Effects in the order in which they became visible; those above all before them are counted. On DuckDB, which need
--   not sort for that, rows that were captured one after the other, and follow each other so, are taken as one chain.
with neighbors as (
    select
        source_hash(downstream, cluster, topic, partition) as source_hash,
        word_of(record_offset) as word_offset,
        record_offset,
        applied_us,
        max(record_offset) over (
            partition by source_hash(downstream, cluster, topic, partition), word_of(record_offset)
            order by applied_us, record_offset
            rows between unbounded preceding and 1 preceding
        ) as reached_offset
    from applied
    where record_offset is not null
)

select
    source_hash,
    word_offset,
    cast(sum(case when reached_offset >= record_offset then 0 else 1 end) as bigint) as ordered_offsets,
    min(record_offset) as lowest_offset,
    max(record_offset) as highest_offset,
    min(applied_us) as first_applied_us,
    max(applied_us) as last_applied_us,
    max(case when reached_offset >= record_offset then null else applied_us end) as last_first_us
from neighbors
group by source_hash, word_offset
