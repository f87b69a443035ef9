-- In which words may a record have been applied after a record behind it, as far as the screen tells?
-- Measure: M5
-- Grain: one row per (page_number, word_offset) with settled records that were applied
-- Reads: settled_pages, word_orders
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   word_offset bigint  first offset of the word
--   settled_bits bigint  bit n is set if the record at the n-th offset of the word is settled
-- Method: In order are words in which every offset with effects was first applied in order, the last of them not later
--   than the earliest effect of any word behind. Of every other word the effects are looked at one by one.
with floors as (
    select
        page_number, word_offset, ordered_offsets, last_first_us,
        min(first_applied_us) over (
            partition by page_number order by word_offset desc rows between unbounded preceding and 1 preceding
        ) as floor_us
    from word_orders
)

select settled_pages.page_number, settled_pages.word_offset, settled_pages.settled_bits
from settled_pages
inner join floors
    on floors.page_number = settled_pages.page_number and floors.word_offset = settled_pages.word_offset
where
    settled_pages.is_applied
    and (
        floors.ordered_offsets <> bit_count(settled_pages.effect_bits)
        or coalesce(floors.floor_us < floors.last_first_us, false)
    )
