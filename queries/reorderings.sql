-- Which records were first applied after a record behind them?
-- Measure: M5
-- Grain: one row per reordered (downstream, record)
-- Reads: fates
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
        downstream, cluster, topic, partition, record_offset, record_id, first_applied_us,
        min(first_applied_us) over (
            partition by downstream, cluster, topic, partition
            order by record_offset desc, first_applied_us desc
            rows between unbounded preceding and 1 preceding
        ) as overtaken_us
    from fates
    where applied_rows > 0
)

select downstream, cluster, topic, partition, record_offset, record_id, first_applied_us, overtaken_us
from following
where overtaken_us < first_applied_us
