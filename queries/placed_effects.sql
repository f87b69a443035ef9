-- Which effects have to be looked at one by one, and on which row of the ledger does each name its source?
-- Measure: M1, M5, M6
-- Grain: one row per effect of an open record (where matched by offset), or of a settled one that was applied twice or stands
--   in a disordered word
-- Reads: merged_applied, effect_sources, located_effects, ledger_pages, open_words, settled_pages, disordered_words
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   log_number integer  number of the log
--   record_offset bigint  source offset
--   record_id varchar  identity on the effect
--   ordinal integer  which of several rows of one record, 0 if only one
--   applied_us bigint  when it became visible, microseconds since the epoch
--   is_open boolean  whether it is not of a settled record: the record has to be looked at too
-- Method: By the names of downstream, cluster, topic and partition. A null cluster means the only cluster with
--   acknowledged records of that topic.
with settled_words_wanted as (
    select
        settled_pages.page_number,
        settled_pages.word_offset,
        case when disordered_words.page_number is null then settled_pages.twice_bits else settled_pages.settled_bits end
            as wanted_bits
    from settled_pages
    left join disordered_words
        on
            disordered_words.page_number = settled_pages.page_number
            and disordered_words.word_offset = settled_pages.word_offset
    where settled_pages.twice_bits <> 0 or disordered_words.page_number is not null
),

wanted as (
    select ledger_pages.page_number, open_words.word_offset, open_words.open_bits as wanted_bits, true as is_open
    from open_words
    inner join ledger_pages on ledger_pages.log_number = open_words.log_number
    where ledger_pages.match_by = 'offset'
    union all
    select page_number, word_offset, wanted_bits, false as is_open
    from settled_words_wanted
),

places as (
    select
        effect_sources.source_hash, effect_sources.page_number, effect_sources.log_number,
        wanted.word_offset, wanted.wanted_bits, wanted.is_open
    from wanted
    inner join effect_sources on effect_sources.page_number = wanted.page_number
)

select
    places.page_number,
    places.log_number,
    merged_applied.record_offset,
    merged_applied.record_id,
    coalesce(merged_applied.ordinal, 0) as ordinal,
    merged_applied.applied_us,
    places.is_open
from merged_applied
inner join places
    on
        places.source_hash = source_hash(
            merged_applied.downstream, merged_applied.cluster, merged_applied.topic, merged_applied.partition
        )
        and places.word_offset = word_of(merged_applied.record_offset)
where places.wanted_bits & offset_bit(merged_applied.record_offset) <> 0
union all
select
    located_effects.page_number,
    ledger_pages.log_number,
    located_effects.record_offset,
    cast(null as varchar(1)) as record_id,
    0 as ordinal,
    located_effects.applied_us,
    false as is_open
from located_effects
inner join settled_words_wanted
    on
        settled_words_wanted.page_number = located_effects.page_number
        and settled_words_wanted.word_offset = word_of(located_effects.record_offset)
inner join ledger_pages on ledger_pages.page_number = located_effects.page_number
where settled_words_wanted.wanted_bits & offset_bit(located_effects.record_offset) <> 0
