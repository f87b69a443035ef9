-- Which effects have to be looked at one by one, and on which row of the ledger does each name its source?
-- Measure: M1, M5
-- Grain: one row per effect of a downstream that matches by offset, in an open or a disordered word
-- Reads: merged_applied, sole_clusters, ledger_pages, open_words, disordered_words
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   log_number integer  number of the log
--   record_offset bigint  source offset
--   record_id varchar  identity on the effect
--   ordinal integer  which of several rows of one record, 0 if only one
--   applied_us bigint  when it became visible, microseconds since the epoch
--   is_open boolean  whether the word is open: its records have to be looked at too
-- Method: By the names of downstream, cluster, topic and partition. A null cluster means the only cluster with
--   acknowledged records of that topic.
with wanted as (
    select ledger_pages.page_number, ledger_pages.log_number, open_words.word_offset, true as is_open
    from open_words
    inner join ledger_pages on ledger_pages.log_number = open_words.log_number
    where ledger_pages.match_by = 'offset'
    union all
    select ledger_pages.page_number, ledger_pages.log_number, disordered_words.word_offset, false as is_open
    from disordered_words
    inner join ledger_pages on ledger_pages.page_number = disordered_words.page_number
),

places as (
    select
        ledger_pages.downstream, ledger_pages.cluster as named_cluster, ledger_pages.topic, ledger_pages.partition,
        wanted.page_number, wanted.log_number, wanted.word_offset, wanted.is_open
    from wanted
    inner join ledger_pages on ledger_pages.page_number = wanted.page_number
    union all
    select
        ledger_pages.downstream, '' as named_cluster, ledger_pages.topic, ledger_pages.partition,
        wanted.page_number, wanted.log_number, wanted.word_offset, wanted.is_open
    from wanted
    inner join ledger_pages on ledger_pages.page_number = wanted.page_number
    inner join sole_clusters
        on
            sole_clusters.downstream = ledger_pages.downstream
            and sole_clusters.topic = ledger_pages.topic
            and sole_clusters.cluster = ledger_pages.cluster
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
        places.partition = merged_applied.partition
        and places.word_offset = word_of(merged_applied.record_offset)
        and places.topic = merged_applied.topic
        and places.named_cluster = coalesce(merged_applied.cluster, '')
        and places.downstream = merged_applied.downstream
