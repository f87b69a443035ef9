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
--   twice_bits bigint  of these bits, those of records that were applied twice, all others once; 0 for the flow itself
--   effect_bits bigint  bit n is set if the n-th offset of the word has an effect, settled or not; null for the flow itself
--   is_log_judged boolean  whether a scan can tell, and found every settled record
--   is_applied boolean  false for the flow itself, which shows no effects where no downstream is defined: unresolved
-- Method: What is settled counts on every row of the ledger that its log stands on. Settled are offsets with one effect
--   or two; an even number is two.
select
    ledger_pages.page_number,
    settled_words.log_number,
    settled_words.word_offset,
    settled_words.settled_bits,
    settled_words.records,
    coalesce(settled_words.settled_bits - (settled_words.settled_bits & effect_words.odd_bits), 0) as twice_bits,
    effect_words.effect_bits,
    settled_words.is_log_judged,
    ledger_pages.is_declared as is_applied
from settled_words
inner join ledger_pages on ledger_pages.log_number = settled_words.log_number
left join effect_words
    on
        effect_words.page_number = ledger_pages.page_number
        and effect_words.word_offset = settled_words.word_offset
        and ledger_pages.is_declared
