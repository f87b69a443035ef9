-- Which acknowledged records were applied once or twice and are in their log, as whole words of them tell?
-- Measure: M1, M2
-- Grain: one row per (log_number, word_offset) with records settled in every declared downstream
-- Reads: acked_words, effect_words, log_words, ledger_pages, flow_topics, latest_scans
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   word_offset bigint  first offset of the word
--   settled_bits bigint  bit n is set if the record at the n-th offset of the word is settled
--   records bigint  settled records
--   is_log_judged boolean  whether a scan can tell, and found every one of them
-- Method: A screen, which decides nothing that the queries behind it would decide otherwise. Offsets with an odd number
--   of effects have one at least, all others with effects two; where these add up to the effects of the word, the odd
--   ones have exactly one and the others exactly two. Those say how often a record was applied, but for downstreams in
--   which one record means several rows: there only one effect does. Nothing is settled in a word in which a record was
--   captured twice, an effect has no record, an offset has three effects or more, or in which both sides have
--   identities and differ in anything. Every record that is not settled is looked at by itself. Two sums of different
--   identities are equal with a chance of 1 in 2^63.
with scanned as (
    select
        acked_words.log_number,
        acked_words.word_offset,
        acked_words.acked_rows,
        acked_words.acked_bits,
        acked_words.identified_rows,
        acked_words.identity_sum,
        flow_topics.is_compacted
        or latest_scans.from_offset is null
        or acked_words.highest_offset < latest_scans.from_offset as is_unjudged,
        case
            when acked_words.lowest_offset < latest_scans.from_offset then 0
            when acked_words.identified_rows = 0 or log_words.identified_rows = 0
                then acked_words.acked_bits & log_words.log_bits
            when
                acked_words.acked_bits = log_words.log_bits
                and log_words.log_rows = acked_words.acked_rows
                and log_words.identified_rows = log_words.log_rows
                and acked_words.identified_rows = acked_words.acked_rows
                and log_words.identity_sum = acked_words.identity_sum
                then acked_words.acked_bits
            else 0
        end as present_bits
    from acked_words
    inner join flow_topics on flow_topics.cluster = acked_words.cluster and flow_topics.topic = acked_words.topic
    left join latest_scans
        on
            latest_scans.cluster = acked_words.cluster
            and latest_scans.topic = acked_words.topic
            and latest_scans.partition = acked_words.partition
    left join log_words
        on log_words.log_number = acked_words.log_number and log_words.word_offset = acked_words.word_offset
    where acked_words.acked_rows = bit_count(acked_words.acked_bits)
),

page_counts as (
    select
        log_number,
        sum(case when is_declared then 1 else 0 end) as pages,
        sum(case when match_by = 'record_id' then 1 else 0 end) as identity_pages
    from ledger_pages
    group by log_number
),

applied_pages as (
    select
        scanned.log_number, scanned.word_offset,
        count(*) as pages,
        bit_and(
            case when ledger_pages.delivery = 'many' then effect_words.odd_bits else effect_words.effect_bits end
        ) as applied_bits
    from scanned
    inner join ledger_pages on ledger_pages.log_number = scanned.log_number
    inner join effect_words
        on effect_words.page_number = ledger_pages.page_number and effect_words.word_offset = scanned.word_offset
    where
        ledger_pages.is_declared
        and effect_words.effects = 2 * bit_count(effect_words.effect_bits) - bit_count(effect_words.odd_bits)
        and effect_words.effect_bits & scanned.acked_bits = effect_words.effect_bits
        and (
            scanned.identified_rows = 0
            or effect_words.identified_effects = 0
            or (
                effect_words.effects = scanned.acked_rows
                and effect_words.odd_bits = scanned.acked_bits
                and scanned.identified_rows = scanned.acked_rows
                and effect_words.identified_effects = effect_words.effects
                and effect_words.identity_sum = scanned.identity_sum
            )
        )
    group by scanned.log_number, scanned.word_offset
),

settled as (
    select
        scanned.log_number,
        scanned.word_offset,
        scanned.acked_bits
        & case when scanned.is_unjudged then scanned.acked_bits else coalesce(scanned.present_bits, 0) end
        & coalesce(applied_pages.applied_bits, scanned.acked_bits) as settled_bits,
        not scanned.is_unjudged as is_log_judged
    from scanned
    left join page_counts on page_counts.log_number = scanned.log_number
    left join applied_pages
        on applied_pages.log_number = scanned.log_number and applied_pages.word_offset = scanned.word_offset
    where
        coalesce(applied_pages.pages, 0) = coalesce(page_counts.pages, 0)
        and (coalesce(page_counts.identity_pages, 0) = 0 or scanned.identified_rows = scanned.acked_rows)
)

select log_number, word_offset, settled_bits, cast(bit_count(settled_bits) as bigint) as records, is_log_judged
from settled
where settled_bits <> 0
