-- In which words was every acknowledged record applied exactly once, and none is missing from its log?
-- Measure: M1, M2
-- Grain: one row per (log_number, word_offset) settled in every declared downstream that matches by offset
-- Reads: acked_words, effect_words, log_words, ledger_pages, flow_topics, latest_scans
-- Parameters: none
-- Returns:
--   log_number integer  number of the log
--   word_offset bigint  first offset of the word
--   records bigint  acknowledged records in it
--   lowest_offset bigint  lowest acknowledged offset
--   highest_offset bigint  highest acknowledged offset
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
--   is_log_judged boolean  whether a scan can tell, and found every record of the word
-- Method: A screen, which decides nothing that the queries behind it would decide otherwise: as many rows as offsets on
--   every side, the same bits, and the same sum of identities or none on one side. Every other word is open, and its
--   records are looked at one by one. Two sums of different identities are equal with a chance of 1 in 2^63.
with scanned as (
    select
        acked_words.log_number,
        acked_words.word_offset,
        acked_words.acked_rows,
        acked_words.acked_bits,
        acked_words.identified_rows,
        acked_words.identity_sum,
        acked_words.lowest_offset,
        acked_words.highest_offset,
        acked_words.first_acked_us,
        acked_words.last_acked_us,
        flow_topics.is_compacted
        or latest_scans.from_offset is null
        or acked_words.highest_offset < latest_scans.from_offset as is_unjudged,
        acked_words.lowest_offset >= latest_scans.from_offset
        and acked_words.acked_bits & log_words.log_bits = acked_words.acked_bits
        and (
            acked_words.identified_rows = 0
            or log_words.identified_rows = 0
            or (
                acked_words.acked_bits = log_words.log_bits
                and log_words.log_rows = acked_words.acked_rows
                and log_words.identified_rows = log_words.log_rows
                and acked_words.identified_rows = acked_words.acked_rows
                and log_words.identity_sum = acked_words.identity_sum
            )
        ) as is_present
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
        sum(case when match_by = 'offset' and is_declared then 1 else 0 end) as offset_pages,
        sum(case when match_by = 'record_id' then 1 else 0 end) as identity_pages
    from ledger_pages
    group by log_number
),

applied_pages as (
    select scanned.log_number, scanned.word_offset, count(*) as pages
    from scanned
    inner join ledger_pages on ledger_pages.log_number = scanned.log_number
    inner join effect_words
        on effect_words.page_number = ledger_pages.page_number and effect_words.word_offset = scanned.word_offset
    where
        ledger_pages.match_by = 'offset'
        and ledger_pages.is_declared
        and effect_words.effects = scanned.acked_rows
        and effect_words.effect_bits = scanned.acked_bits
        and (
            scanned.identified_rows = 0
            or effect_words.identified_effects = 0
            or (
                scanned.identified_rows = scanned.acked_rows
                and effect_words.identified_effects = effect_words.effects
                and effect_words.identity_sum = scanned.identity_sum
            )
        )
    group by scanned.log_number, scanned.word_offset
)

select
    scanned.log_number,
    scanned.word_offset,
    scanned.acked_rows as records,
    scanned.lowest_offset,
    scanned.highest_offset,
    scanned.first_acked_us,
    scanned.last_acked_us,
    not scanned.is_unjudged as is_log_judged
from scanned
left join page_counts on page_counts.log_number = scanned.log_number
left join applied_pages
    on applied_pages.log_number = scanned.log_number and applied_pages.word_offset = scanned.word_offset
where
    (scanned.is_unjudged or coalesce(scanned.is_present, false))
    and coalesce(applied_pages.pages, 0) = coalesce(page_counts.offset_pages, 0)
    and (coalesce(page_counts.identity_pages, 0) = 0 or scanned.identified_rows = scanned.acked_rows)
