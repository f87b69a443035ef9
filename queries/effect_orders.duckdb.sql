with sources as (
    select source_hash(downstream, cluster, topic, partition) as source_hash, record_offset, applied_us
    from applied
    where record_offset is not null
),

neighbors as (
    select
        source_hash, record_offset, applied_us,
        row_number() over () as place,
        lag(source_hash) over () as previous_source,
        lag(record_offset) over () as previous_offset,
        lag(applied_us) over () as previous_us,
        lead(source_hash) over () as next_source
    from sources
),

starts as (
    select
        source_hash, record_offset, applied_us, place,
        lead(place) over () as next_place,
        lead(previous_source) over () as end_source,
        lead(previous_offset) over () as end_offset,
        lead(previous_us) over () as end_us
    from neighbors
    where
        -- Where a chain ends is known from the row behind it: the last row of all is a chain of its own.
        next_source is null
        or not coalesce(
            previous_source = source_hash
            and word_of(previous_offset) = word_of(record_offset)
            and previous_offset < record_offset
            and previous_us <= applied_us,
            false
        )
),

chains as (
    select
        source_hash,
        word_of(record_offset) as word_offset,
        case
            when next_place is null then 1
            when end_source = source_hash then next_place - place
            else 0
        end as chained_rows,
        record_offset as first_offset,
        coalesce(end_offset, record_offset) as last_offset,
        applied_us as first_us,
        coalesce(end_us, applied_us) as last_us
    from starts
),

followed as (
    select
        source_hash, word_offset, chained_rows, first_offset, last_offset, first_us, last_us,
        max(last_offset) over (
            partition by source_hash, word_offset order by first_us, first_offset, last_offset
            rows between unbounded preceding and 1 preceding
        ) as reached_offset,
        lag(last_us) over (
            partition by source_hash, word_offset order by first_us, first_offset, last_offset
        ) as reached_us
    from chains
)

select
    source_hash,
    word_offset,
    case
        when min(case when chained_rows = 0 or reached_us > first_us then 0 else 1 end) = 1
            then cast(sum(case when reached_offset >= first_offset then 0 else chained_rows end) as bigint)
        else 0
    end as ordered_offsets,
    min(first_offset) as lowest_offset,
    max(last_offset) as highest_offset,
    min(first_us) as first_applied_us,
    max(last_us) as last_applied_us,
    max(case when reached_offset >= first_offset then null else last_us end) as last_first_us
from followed
group by source_hash, word_offset
