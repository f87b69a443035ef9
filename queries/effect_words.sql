-- Which offsets does each downstream show effects of, word by word?
-- Measure: M1
-- Grain: one row per (downstream, cluster, topic, partition, word_offset); coordinates are null where effects carry none
-- Reads: captured_effect_words, merged_applied, repeated_effects, drill_downstreams, sole_clusters, ledger_pages, located_words
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  source cluster, null if the coordinates are incomplete
--   topic varchar  source topic, null likewise
--   partition integer  source partition, null likewise
--   page_number integer  row of the ledger, null where that log took no acknowledged record
--   word_offset bigint  first offset of the word, null where the coordinates are incomplete
--   effects bigint  effects
--   effect_bits bigint  bit n is set if the n-th offset of the word has an effect
--   odd_bits bigint  bit n is set if the n-th offset of the word has an odd number of effects
--   identified_effects bigint  of the effects, those with a record_id
--   identity_sum bigint  exclusive or of the hashes of offset and record_id, null without identities
-- Method: What the files say of a word, put together; of downstreams with an effect that was captured twice, the rows
--   are read, that effect once. Names are looked at once a word: first as captured, then with the only cluster that a
--   null can mean. Of downstreams that match by record_id: what located_words has.
with repeating as (
    select distinct downstream from repeated_effects
),

captured as (
    select
        captured_effect_words.downstream,
        captured_effect_words.cluster,
        captured_effect_words.topic,
        captured_effect_words.partition,
        captured_effect_words.word_offset,
        captured_effect_words.effects,
        captured_effect_words.effect_bits,
        captured_effect_words.odd_bits,
        captured_effect_words.identified_effects,
        captured_effect_words.identity_sum
    from captured_effect_words
    left join repeating on repeating.downstream = captured_effect_words.downstream
    where repeating.downstream is null
    union all
    select
        merged_applied.downstream,
        merged_applied.cluster,
        merged_applied.topic,
        merged_applied.partition,
        word_of(merged_applied.record_offset) as word_offset,
        count(*) as effects,
        bit_or(offset_bit(merged_applied.record_offset)) as effect_bits,
        bit_xor(offset_bit(merged_applied.record_offset)) as odd_bits,
        count(merged_applied.record_id) as identified_effects,
        bit_xor(identity_hash(merged_applied.record_id, merged_applied.record_offset)) as identity_sum
    from merged_applied
    inner join repeating on repeating.downstream = merged_applied.downstream
    group by
        merged_applied.downstream, merged_applied.cluster, merged_applied.topic, merged_applied.partition,
        word_of(merged_applied.record_offset)
),

located as (
    select
        captured.*,
        coalesce(captured.cluster, sole_clusters.cluster) as source_cluster,
        coalesce(captured.cluster, sole_clusters.cluster) is not null
        and captured.topic is not null
        and captured.partition is not null
        and captured.word_offset is not null as has_coordinates
    from captured
    inner join drill_downstreams on drill_downstreams.downstream = captured.downstream
    left join sole_clusters
        on sole_clusters.downstream = captured.downstream and sole_clusters.topic = captured.topic
    where drill_downstreams.match_by = 'offset'
),

placed as (
    select
        downstream,
        case when has_coordinates then source_cluster end as cluster,
        case when has_coordinates then topic end as topic,
        case when has_coordinates then partition end as partition,
        case when has_coordinates then word_offset end as word_offset,
        effects, effect_bits, odd_bits, identified_effects, identity_sum
    from located
),

words as (
    select
        downstream, cluster, topic, partition, word_offset,
        cast(sum(effects) as bigint) as effects,
        bit_or(effect_bits) as effect_bits,
        bit_xor(odd_bits) as odd_bits,
        cast(sum(identified_effects) as bigint) as identified_effects,
        bit_xor(identity_sum) as identity_sum
    from placed
    group by downstream, cluster, topic, partition, word_offset
)

select
    words.downstream,
    words.cluster,
    words.topic,
    words.partition,
    ledger_pages.page_number,
    words.word_offset,
    words.effects,
    words.effect_bits,
    words.odd_bits,
    words.identified_effects,
    words.identity_sum
from words
left join ledger_pages
    on
        ledger_pages.downstream = words.downstream
        and ledger_pages.cluster = words.cluster
        and ledger_pages.topic = words.topic
        and ledger_pages.partition = words.partition
union all
select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    located_words.page_number,
    located_words.word_offset,
    located_words.effects,
    located_words.effect_bits,
    located_words.odd_bits,
    cast(0 as bigint) as identified_effects,
    cast(null as bigint) as identity_sum
from located_words
inner join ledger_pages on ledger_pages.page_number = located_words.page_number
