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
--   null can mean; words are put together by the number of their row of the ledger. Of downstreams that match by record_id:
--   what located_words has.
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
        ledger_pages.page_number,
        coalesce(captured.cluster, sole_clusters.cluster) as source_cluster,
        coalesce(captured.cluster, sole_clusters.cluster) is not null
        and captured.topic is not null
        and captured.partition is not null
        and captured.word_offset is not null as has_coordinates
    from captured
    inner join drill_downstreams on drill_downstreams.downstream = captured.downstream
    left join sole_clusters
        on sole_clusters.downstream = captured.downstream and sole_clusters.topic = captured.topic
    left join ledger_pages
        on
            ledger_pages.downstream = captured.downstream
            and ledger_pages.cluster = coalesce(captured.cluster, sole_clusters.cluster)
            and ledger_pages.topic = captured.topic
            and ledger_pages.partition = captured.partition
    where drill_downstreams.match_by = 'offset'
),

paged as (
    select
        page_number, word_offset,
        cast(sum(effects) as bigint) as effects,
        bit_or(effect_bits) as effect_bits,
        bit_xor(odd_bits) as odd_bits,
        cast(sum(identified_effects) as bigint) as identified_effects,
        bit_xor(identity_sum) as identity_sum
    from located
    where page_number is not null and has_coordinates
    group by page_number, word_offset
),

unpaged as (
    select
        downstream,
        case when has_coordinates then source_cluster end as cluster,
        case when has_coordinates then topic end as topic,
        case when has_coordinates then partition end as partition,
        case when has_coordinates then word_offset end as word_offset,
        effects, effect_bits, odd_bits, identified_effects, identity_sum
    from located
    where page_number is null or not has_coordinates
)

select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    paged.page_number,
    paged.word_offset,
    paged.effects,
    paged.effect_bits,
    paged.odd_bits,
    paged.identified_effects,
    paged.identity_sum
from paged
inner join ledger_pages on ledger_pages.page_number = paged.page_number
union all
select
    downstream,
    cluster,
    topic,
    partition,
    cast(null as integer) as page_number,
    word_offset,
    cast(sum(effects) as bigint) as effects,
    bit_or(effect_bits) as effect_bits,
    bit_xor(odd_bits) as odd_bits,
    cast(sum(identified_effects) as bigint) as identified_effects,
    bit_xor(identity_sum) as identity_sum
from unpaged
group by downstream, cluster, topic, partition, word_offset
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
