-- At which one place does each identity stand that was acknowledged once?
-- Measure: M1
-- Grain: one row per (downstream that matches by record_id, acknowledged row whose identity no other row has)
-- Reads: acks, ledger_pages, repeated_hashes
-- Parameters: none
-- Returns:
--   downstream_page integer  lowest row of the ledger of the downstream: tells downstreams apart by number
--   page_number integer  row of the ledger
--   record_offset bigint  offset of the row
--   identity_hash bigint  hash of its identity
-- Method: Told by the hash of which repeated_hashes has those that stand for several rows: no two rows of a downstream
--   share one here. An effect of an identity that nobody acknowledged is taken for another's where their hashes are equal
--   by chance: with a hundred million records, once in a hundred thousand million such effects.
with identity_pages as (
    select
        min(page_number) over (partition by downstream) as downstream_page,
        page_number, cluster, topic, partition
    from ledger_pages
    where match_by = 'record_id'
)

select
    identity_pages.downstream_page, identity_pages.page_number, acks.record_offset,
    identity_hash(acks.record_id, 0) as identity_hash
from acks
inner join identity_pages
    on
        identity_pages.cluster = acks.cluster
        and identity_pages.topic = acks.topic
        and identity_pages.partition = acks.partition
left join repeated_hashes on repeated_hashes.identity_hash = identity_hash(acks.record_id, 0)
where acks.outcome = 'acked' and acks.record_id is not null and repeated_hashes.identity_hash is null
