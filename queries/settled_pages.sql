-- Which records does each downstream show settled?
-- Measure: M1
-- Grain: one row per (page_number, word_offset) with settled records
-- Reads: settled_words, ledger_pages, effect_words
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   log_number integer  number of the log
--   word_offset bigint  first offset of the word
--   settled_bits bigint  bit n is set if the record at the n-th offset of the word is settled
--   records bigint  settled records
--   effect_bits bigint  bit n is set if the n-th offset of the word has an effect, settled or not; null for the flow itself
--   is_log_judged boolean  whether a scan can tell, and found every settled record
--   fate varchar  of settled records: once; unresolved for the flow itself where no downstream is defined
--   applied_rows integer  effects of each settled record: 1; 0 for the flow itself
-- Method: What is settled counts on every row of the ledger that its log stands on.
select
    ledger_pages.page_number,
    settled_words.log_number,
    settled_words.word_offset,
    settled_words.settled_bits,
    settled_words.records,
    effect_words.effect_bits,
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
