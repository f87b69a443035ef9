-- Which identities are looked at one by one that a downstream matches by, and where were they acknowledged, if only once?
-- Measure: M1
-- Grain: one row per (downstream that matches by record_id, record_id) that is not settled
-- Reads: acks, open_records, acked_logs, ledger_pages, repeated_hashes
-- Parameters: none
-- Returns:
--   downstream varchar  downstream that must apply it
--   record_id varchar  identity
--   acked_rows bigint  acknowledged rows captured of it, as far as the hash tells that there are several
--   page_number integer  row of the ledger of the one row; the lowest of several
--   record_offset bigint  offset of the one row; the lowest of several
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: As captured where the hash says that there is one row only, else grouped by identity. Where an identity with
--   several rows stands is told by repeated_identities.
select
    ledger_pages.downstream,
    open_records.record_id,
    cast(1 as bigint) as acked_rows,
    ledger_pages.page_number,
    open_records.record_offset,
    open_records.first_acked_us,
    open_records.last_acked_us
from open_records
inner join ledger_pages on ledger_pages.log_number = open_records.log_number
left join repeated_hashes on repeated_hashes.identity_hash = identity_hash(open_records.record_id, 0)
where
    ledger_pages.match_by = 'record_id'
    and open_records.record_id is not null
    and repeated_hashes.identity_hash is null
union all
select
    ledger_pages.downstream,
    acks.record_id,
    count(*) as acked_rows,
    min(ledger_pages.page_number) as page_number,
    min(acks.record_offset) as record_offset,
    min(acks.acked_us) as first_acked_us,
    max(acks.acked_us) as last_acked_us
from acks
inner join repeated_hashes on repeated_hashes.identity_hash = identity_hash(acks.record_id, 0)
inner join acked_logs
    on
        acked_logs.cluster = acks.cluster
        and acked_logs.topic = acks.topic
        and acked_logs.partition = acks.partition
inner join ledger_pages on ledger_pages.log_number = acked_logs.log_number
where acks.outcome = 'acked' and ledger_pages.match_by = 'record_id'
group by ledger_pages.downstream, acks.record_id
