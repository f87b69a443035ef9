-- In which settled words may a record have been applied after a record behind it?
-- Measure: M5
-- Grain: one row per (page_number, word_offset) that is settled
-- Reads: settled_pages, effect_words, effect_chains
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   word_offset bigint  first offset of the word
-- Method: In order are words whose effects form one chain and of which the last is not later than the earliest effect of
--   any word behind. Of every other word the effects are looked at one by one.
with floors as (
    select
        page_number, word_offset,
        min(first_applied_us) over (
            partition by page_number order by word_offset desc rows between unbounded preceding and 1 preceding
        ) as floor_us
    from effect_words
    where page_number is not null
)

select settled_pages.page_number, settled_pages.word_offset
from settled_pages
inner join floors
    on floors.page_number = settled_pages.page_number and floors.word_offset = settled_pages.word_offset
left join effect_chains
    on
        effect_chains.page_number = settled_pages.page_number
        and effect_chains.word_offset = settled_pages.word_offset
where
    settled_pages.applied_rows = 1
    and (
        effect_chains.page_number is not null
        or coalesce(floors.floor_us < settled_pages.last_applied_us, false)
    )
