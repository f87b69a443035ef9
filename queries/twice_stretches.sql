-- Which stretches of settled records were applied twice, and when?
-- Measure: M6
-- Grain: one row per maximal stretch of such records within (page_number, word_offset)
-- Reads: settled_pages, acked_words, sought_acks, placed_effects
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   word_offset bigint  first offset of the word
--   start_offset bigint  first record (inclusive)
--   end_offset bigint  last record + 1 (exclusive)
--   records bigint  acknowledged records in it, each applied twice
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
-- Method: Two records are of one stretch if the same others stand below both: of the acknowledged records of the word that
--   are not such ones, those at lower offsets.
with twice_words as (
    select
        settled_pages.page_number,
        settled_pages.log_number,
        settled_pages.word_offset,
        settled_pages.twice_bits,
        acked_words.acked_bits - settled_pages.twice_bits as other_bits
    from settled_pages
    inner join acked_words
        on acked_words.log_number = settled_pages.log_number and acked_words.word_offset = settled_pages.word_offset
    where settled_pages.twice_bits <> 0
),

acknowledged as (
    select
        twice_words.page_number,
        twice_words.word_offset,
        twice_words.other_bits & (offset_bit(sought_acks.record_offset) - 1) as bits_below,
        count(*) as records,
        min(sought_acks.record_offset) as start_offset,
        max(sought_acks.record_offset) + 1 as end_offset,
        min(sought_acks.acked_us) as first_acked_us,
        max(sought_acks.acked_us) as last_acked_us
    from sought_acks
    inner join twice_words
        on
            twice_words.log_number = sought_acks.log_number
            and twice_words.word_offset = word_of(sought_acks.record_offset)
    where twice_words.twice_bits & offset_bit(sought_acks.record_offset) <> 0
    group by
        twice_words.page_number, twice_words.word_offset,
        twice_words.other_bits & (offset_bit(sought_acks.record_offset) - 1)
),

effects as (
    select
        twice_words.page_number,
        twice_words.word_offset,
        twice_words.other_bits & (offset_bit(placed_effects.record_offset) - 1) as bits_below,
        min(placed_effects.applied_us) as first_applied_us,
        max(placed_effects.applied_us) as last_applied_us
    from placed_effects
    inner join twice_words
        on
            twice_words.page_number = placed_effects.page_number
            and twice_words.word_offset = word_of(placed_effects.record_offset)
    where twice_words.twice_bits & offset_bit(placed_effects.record_offset) <> 0
    group by
        twice_words.page_number, twice_words.word_offset,
        twice_words.other_bits & (offset_bit(placed_effects.record_offset) - 1)
)

select
    acknowledged.page_number,
    acknowledged.word_offset,
    acknowledged.start_offset,
    acknowledged.end_offset,
    acknowledged.records,
    acknowledged.first_acked_us,
    acknowledged.last_acked_us,
    effects.first_applied_us,
    effects.last_applied_us
from acknowledged
inner join effects
    on
        effects.page_number = acknowledged.page_number
        and effects.word_offset = acknowledged.word_offset
        and effects.bits_below = acknowledged.bits_below
