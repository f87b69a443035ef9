-- What do the settled words hold for each downstream that matches by offset?
-- Measure: M1
-- Grain: one row per (page_number, word_offset) that is settled
-- Reads: settled_words, ledger_pages, effect_words
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   log_number integer  number of the log
--   word_offset bigint  first offset of the word
--   records bigint  acknowledged records in it
--   lowest_offset bigint  lowest of their offsets
--   highest_offset bigint  highest of their offsets
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
--   is_log_judged boolean  whether a scan can tell, and found every record of the word
--   fate varchar  once; unresolved for the flow itself where no downstream is defined
--   applied_rows integer  effects of each record: 1; 0 for the flow itself
-- Method: A settled word counts on every row of the ledger that its log stands on.
select
    ledger_pages.page_number,
    settled_words.log_number,
    settled_words.word_offset,
    settled_words.records,
    settled_words.lowest_offset,
    settled_words.highest_offset,
    settled_words.first_acked_us,
    settled_words.last_acked_us,
    effect_words.first_applied_us,
    effect_words.last_applied_us,
    settled_words.is_log_judged,
    case when ledger_pages.is_declared then 'once' else 'unresolved' end as fate,
    case when ledger_pages.is_declared then 1 else 0 end as applied_rows
from settled_words
inner join ledger_pages on ledger_pages.log_number = settled_words.log_number
left join effect_words
    on
        effect_words.page_number = ledger_pages.page_number
        and effect_words.word_offset = settled_words.word_offset
        and ledger_pages.is_declared
where ledger_pages.match_by = 'offset'
