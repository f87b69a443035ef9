-- How many offsets of each word were applied in their order, and until when?
-- Measure: M5
-- Grain: one row per (page_number, word_offset) with effects
-- Reads: effect_orders, displaced_effects, effect_sources, located_words
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   word_offset bigint  first offset of the word
--   ordered_offsets bigint  offsets first applied after all offsets of the word below them and before all above; 0 where that is not told
--   first_applied_us bigint  earliest effect of the word as captured, microseconds since the epoch
--   last_first_us bigint  latest of the effects that were first and in order, microseconds since the epoch
-- Method: Parts of one word, with and without the name of the only cluster, count as one where none begins before all
--   before it have ended; those that begin above all before them go on. Not told where one effect was captured at
--   several places.
with placed as (
    select
        effect_sources.page_number,
        effect_orders.word_offset,
        case when displaced_effects.downstream is null then effect_orders.ordered_offsets else 0 end as ordered_offsets,
        effect_orders.lowest_offset,
        effect_orders.highest_offset,
        effect_orders.first_applied_us,
        effect_orders.last_applied_us,
        effect_orders.last_first_us
    from effect_orders
    inner join effect_sources on effect_sources.source_hash = effect_orders.source_hash
    left join displaced_effects on displaced_effects.downstream = effect_sources.downstream
),

followed as (
    select
        page_number, word_offset, ordered_offsets, lowest_offset, first_applied_us, last_first_us,
        max(highest_offset) over (
            partition by page_number, word_offset order by first_applied_us, lowest_offset, highest_offset
            rows between unbounded preceding and 1 preceding
        ) as reached_offset,
        max(last_applied_us) over (
            partition by page_number, word_offset order by first_applied_us, lowest_offset, highest_offset
            rows between unbounded preceding and 1 preceding
        ) as reached_us
    from placed
)

select
    page_number,
    word_offset,
    case
        when min(case when ordered_offsets = 0 or reached_us > first_applied_us then 0 else 1 end) = 1
            then cast(sum(case when reached_offset >= lowest_offset then 0 else ordered_offsets end) as bigint)
        else 0
    end as ordered_offsets,
    min(first_applied_us) as first_applied_us,
    max(case when reached_offset >= lowest_offset then null else last_first_us end) as last_first_us
from followed
group by page_number, word_offset
union all
select page_number, word_offset, ordered_offsets, first_applied_us, last_first_us
from located_words
