-- At which offsets of each word are effects that name only identities, and how many of these were applied in their order?
-- Measure: M1, M5
-- Grain: one row per (page_number, word_offset) with such effects
-- Reads: located_effects, repeated_identities
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   word_offset bigint  first offset of the word
--   effects bigint  effects
--   effect_bits bigint  bit n is set if the n-th offset of the word has an effect
--   odd_bits bigint  bit n is set if the n-th offset of the word has an odd number of effects
--   ordered_offsets bigint  offsets first applied after all offsets of the word below them and before all above; 0 where that is not told
--   first_applied_us bigint  earliest effect of the word, microseconds since the epoch
--   last_first_us bigint  latest effect at an offset above all before it, microseconds since the epoch
-- Method: As in effect_words and effect_orders. Order is not told on a row of the ledger on which an identity stands that was acknowledged more than
--   once: its effects are not among these.
with repeated_pages as (
    select distinct page_number from repeated_identities
),

neighbors as (
    select
        page_number,
        word_of(record_offset) as word_offset,
        record_offset,
        applied_us,
        max(record_offset) over (
            partition by page_number, word_of(record_offset)
            order by applied_us, record_offset
            rows between unbounded preceding and 1 preceding
        ) as reached_offset
    from located_effects
)

select
    neighbors.page_number,
    neighbors.word_offset,
    count(*) as effects,
    bit_or(offset_bit(neighbors.record_offset)) as effect_bits,
    bit_xor(offset_bit(neighbors.record_offset)) as odd_bits,
    cast(sum(
        case
            when repeated_pages.page_number is not null or neighbors.reached_offset >= neighbors.record_offset then 0
            else 1
        end
    ) as bigint) as ordered_offsets,
    min(neighbors.applied_us) as first_applied_us,
    max(
        case when neighbors.reached_offset >= neighbors.record_offset then null else neighbors.applied_us end
    ) as last_first_us
from neighbors
left join repeated_pages on repeated_pages.page_number = neighbors.page_number
group by neighbors.page_number, neighbors.word_offset
