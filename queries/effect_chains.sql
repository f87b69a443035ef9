-- In which words do the effects not follow each other in the order of their offsets?
-- Measure: M5
-- Grain: one row per (page_number, word_offset) that is not in order for certain
-- Reads: effect_turns, sole_clusters, ledger_pages
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   word_offset bigint  first offset of the word
--   breaks bigint  turns that do not continue the one before them
-- Method: By offset, chains must begin and end in turn, and each begin above the end of the one before, and not earlier.
--   Then all effects of the word form one chain of rising offsets, each applied once and in order. Rows captured twice, and
--   rows at one offset, break it.
with placed as (
    select
        ledger_pages.page_number,
        effect_turns.word_offset,
        effect_turns.record_offset,
        effect_turns.applied_us,
        effect_turns.is_start,
        effect_turns.is_end
    from effect_turns
    left join sole_clusters
        on sole_clusters.downstream = effect_turns.downstream and sole_clusters.topic = effect_turns.topic
    inner join ledger_pages
        on
            ledger_pages.downstream = effect_turns.downstream
            and ledger_pages.cluster = coalesce(effect_turns.cluster, sole_clusters.cluster)
            and ledger_pages.topic = effect_turns.topic
            and ledger_pages.partition = effect_turns.partition
),

neighbors as (
    select
        page_number,
        word_offset,
        record_offset,
        applied_us,
        is_start,
        lag(word_offset) over (partition by page_number order by record_offset, applied_us) as previous_word,
        lag(record_offset) over (partition by page_number order by record_offset, applied_us) as previous_offset,
        lag(applied_us) over (partition by page_number order by record_offset, applied_us) as previous_us,
        lag(is_end) over (partition by page_number order by record_offset, applied_us) as is_previous_end
    from placed
)

select page_number, word_offset, count(*) as breaks
from neighbors
where not case
    when not coalesce(previous_word = word_offset, false) then is_start
    when is_start then is_previous_end and previous_offset < record_offset and previous_us <= applied_us
    else not is_previous_end
end
group by page_number, word_offset
