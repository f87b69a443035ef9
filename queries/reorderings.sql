-- Which records were first applied after a record behind them?
-- Measure: M5
-- Grain: one row per reordered (downstream, record)
-- Reads: record_fates, ledger_pages
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   record_offset bigint  offset
--   record_id varchar  identity
--   first_applied_us bigint  when it was first applied, microseconds since the epoch
--   overtaken_us bigint  when the earliest record behind it was first applied, microseconds since the epoch
-- Method: The earliest first application among all higher offsets of the ledger row is strictly earlier. Records that
--   share an offset are ordered by their own application so that they never overtake each other.
with following as (
    select
        page_number, record_offset, record_id, first_applied_us,
        min(first_applied_us) over (
            partition by page_number
            order by record_offset desc, first_applied_us desc
            rows unbounded preceding
        ) as overtaken_us
    from record_fates
    where applied_rows > 0
)

select
    ledger_pages.downstream,
    ledger_pages.cluster,
    ledger_pages.topic,
    ledger_pages.partition,
    following.record_offset,
    following.record_id,
    following.first_applied_us,
    following.overtaken_us
from following
inner join ledger_pages on ledger_pages.page_number = following.page_number
where following.overtaken_us < following.first_applied_us
