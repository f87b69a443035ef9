-- Which effects belong to no acknowledged record, and which of them are from before or outside the capture?
-- Measure: M3
-- Grain: one row per (downstream, cluster, topic, partition); coordinates are null where the effects carry none
-- Reads: applications, applied_effects, identified_records, identity_places, record_effects, settled_pages, drill_downstreams, effect_words, acked_words, ledger_pages, downstream_topics, acked_partitions
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster
--   topic varchar  source topic
--   partition integer  source partition
--   unacked bigint  effects at or above the lowest acknowledged offset of the partition, or without coordinates
--   before_capture bigint  effects below it, or on a partition without acknowledged records
-- Method: Compared with the lowest acknowledged offset of the partition: one by one at open offsets, by the word where no
--   record was acknowledged in it, and not at all where records are settled. Effects of downstreams that match by record_id are
--   looked at only where fewer of them found their record than there are.
with lowest as (
    select
        downstream_topics.downstream,
        acked_partitions.cluster,
        acked_partitions.topic,
        acked_partitions.partition,
        acked_partitions.lowest_offset
    from acked_partitions
    inner join downstream_topics
        on downstream_topics.cluster = acked_partitions.cluster and downstream_topics.topic = acked_partitions.topic
),

identified_effects as (
    select count(*) as effects
    from applied_effects
    inner join drill_downstreams on drill_downstreams.downstream = applied_effects.downstream
    where drill_downstreams.match_by = 'record_id'
),

matched_effects as (
    select coalesce(sum(matched.effects), 0) as effects
    from (
        select page_number, effects from record_effects
        union all
        select page_number, records + bit_count(twice_bits) as effects from settled_pages where is_applied
    ) as matched
    inner join ledger_pages on ledger_pages.page_number = matched.page_number
    where ledger_pages.match_by = 'record_id'
),

askers as (
    select drill_downstreams.downstream
    from drill_downstreams
    cross join identified_effects
    cross join matched_effects
    where drill_downstreams.match_by = 'record_id' and identified_effects.effects <> matched_effects.effects
),

asked_records as (
    select identified_records.downstream, identified_records.record_id
    from identified_records
    inner join askers on askers.downstream = identified_records.downstream
),

asked_places as (
    select askers.downstream, identity_places.identity_hash
    from identity_places
    inner join ledger_pages on ledger_pages.page_number = identity_places.page_number
    inner join askers on askers.downstream = ledger_pages.downstream
),

unmatched as (
    select
        ledger_pages.downstream, ledger_pages.cluster, ledger_pages.topic, ledger_pages.partition,
        applications.record_offset,
        cast(1 as bigint) as effects
    from applications
    inner join ledger_pages on ledger_pages.page_number = applications.page_number
    where not applications.is_matched
    union all
    select
        applied_effects.downstream, applied_effects.cluster, applied_effects.topic, applied_effects.partition,
        applied_effects.record_offset,
        1 as effects
    from applied_effects
    inner join askers on askers.downstream = applied_effects.downstream
    left join asked_records
        on
            asked_records.downstream = askers.downstream
            and asked_records.record_id = applied_effects.record_id
    left join asked_places
        on
            asked_places.downstream = askers.downstream
            and asked_places.identity_hash = identity_hash(applied_effects.record_id, 0)
    where asked_records.downstream is null and asked_places.downstream is null
    union all
    select
        effect_words.downstream, effect_words.cluster, effect_words.topic, effect_words.partition,
        effect_words.word_offset as record_offset,
        effect_words.effects
    from effect_words
    left join ledger_pages on ledger_pages.page_number = effect_words.page_number
    left join acked_words
        on
            acked_words.log_number = ledger_pages.log_number
            and acked_words.word_offset = effect_words.word_offset
    where acked_words.log_number is null
),

compared as (
    select
        unmatched.downstream,
        unmatched.cluster,
        unmatched.topic,
        unmatched.partition,
        unmatched.effects,
        unmatched.cluster is null
        or coalesce(unmatched.record_offset >= lowest.lowest_offset, false) as is_unacked
    from unmatched
    left join lowest
        on
            lowest.downstream = unmatched.downstream
            and lowest.cluster = unmatched.cluster
            and lowest.topic = unmatched.topic
            and lowest.partition = unmatched.partition
)

select
    downstream,
    cluster,
    topic,
    partition,
    cast(sum(case when is_unacked then effects else 0 end) as bigint) as unacked,
    cast(sum(case when is_unacked then 0 else effects end) as bigint) as before_capture
from compared
group by downstream, cluster, topic, partition
