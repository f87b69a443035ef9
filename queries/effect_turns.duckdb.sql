with sources as (
    select
        downstream, cluster, topic, partition, record_offset, applied_us,
        hash(downstream, cluster, topic, partition, word_of(record_offset)) as word
    from applied
    where record_offset is not null
),

neighbors as (
    select
        downstream, cluster, topic, partition, record_offset, applied_us, word,
        lag(word) over () as previous_word,
        lag(record_offset) over () as previous_offset,
        lag(applied_us) over () as previous_us,
        lead(word) over () as next_word,
        lead(record_offset) over () as next_offset,
        lead(applied_us) over () as next_us
    from sources
),

turns as (
    select
        downstream, cluster, topic, partition, record_offset, applied_us,
        not coalesce(
            previous_word = word and previous_offset < record_offset and previous_us <= applied_us, false
        ) as is_start,
        not coalesce(next_word = word and record_offset < next_offset and applied_us <= next_us, false) as is_end
    from neighbors
)

select
    downstream, cluster, topic, partition, word_of(record_offset) as word_offset, record_offset, applied_us,
    is_start, is_end
from turns
where is_start or is_end
