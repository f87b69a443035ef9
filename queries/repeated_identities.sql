-- Where do identities stand that may have been acknowledged more than once?
-- Measure: M1
-- Grain: one row per (downstream, record_id) that may have several acknowledged rows
-- Reads: acks, acked_logs, ledger_pages, repeated_hashes
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   record_id varchar  identity
--   page_number integer  row of the ledger where it stands
--   record_offset bigint  offset where it stands
-- Method: At the coordinates acknowledged first (ties: cluster, topic, partition, offset). Pages are numbered in that
--   order.
with ranked as (
    select
        ledger_pages.downstream,
        acks.record_id,
        ledger_pages.page_number,
        acks.record_offset,
        row_number() over (
            partition by ledger_pages.downstream, acks.record_id
            order by acks.acked_us, ledger_pages.page_number, acks.record_offset
        ) as place
    from acks
    inner join repeated_hashes on repeated_hashes.identity_hash = identity_hash(acks.record_id, 0)
    inner join acked_logs
        on
            acked_logs.cluster = acks.cluster
            and acked_logs.topic = acks.topic
            and acked_logs.partition = acks.partition
    inner join ledger_pages on ledger_pages.log_number = acked_logs.log_number
    where acks.outcome = 'acked' and ledger_pages.match_by = 'record_id'
)

select downstream, record_id, page_number, record_offset
from ranked
where place = 1
