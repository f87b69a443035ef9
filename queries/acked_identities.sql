-- Which identities were acknowledged that a downstream matches by, and where, if only once?
-- Measure: M1
-- Grain: one row per (downstream that matches by record_id, record_id)
-- Reads: acks, acked_logs, ledger_pages, repeated_hashes
-- Parameters: none
-- Returns:
--   downstream varchar  downstream that must apply it
--   record_id varchar  identity
--   acked_rows bigint  acknowledged rows captured of it
--   page_number integer  row of the ledger of the one row; the lowest of several
--   record_offset bigint  offset of the one row; the lowest of several
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: As captured where the hash says that there is one row only, else grouped by identity. Where an identity with
--   several rows stands is told by repeated_identities.
with identity_pages as (
    select
        ledger_pages.page_number, ledger_pages.downstream, acked_logs.cluster, acked_logs.topic, acked_logs.partition
    from ledger_pages
    inner join acked_logs on acked_logs.log_number = ledger_pages.log_number
    where ledger_pages.match_by = 'record_id'
)

select
    identity_pages.downstream,
    acks.record_id,
    cast(1 as bigint) as acked_rows,
    identity_pages.page_number,
    acks.record_offset,
    acks.acked_us as first_acked_us,
    acks.acked_us as last_acked_us
from acks
inner join identity_pages
    on
        identity_pages.cluster = acks.cluster
        and identity_pages.topic = acks.topic
        and identity_pages.partition = acks.partition
left join repeated_hashes on repeated_hashes.identity_hash = identity_hash(acks.record_id, 0)
where acks.outcome = 'acked' and acks.record_id is not null and repeated_hashes.identity_hash is null
union all
select
    identity_pages.downstream,
    acks.record_id,
    count(*) as acked_rows,
    min(identity_pages.page_number) as page_number,
    min(acks.record_offset) as record_offset,
    min(acks.acked_us) as first_acked_us,
    max(acks.acked_us) as last_acked_us
from acks
inner join repeated_hashes on repeated_hashes.identity_hash = identity_hash(acks.record_id, 0)
inner join identity_pages
    on
        identity_pages.cluster = acks.cluster
        and identity_pages.topic = acks.topic
        and identity_pages.partition = acks.partition
where acks.outcome = 'acked' and acks.record_id is not null
group by identity_pages.downstream, acks.record_id
