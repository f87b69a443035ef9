-- Under which names are effects captured of each row of the ledger that is matched by offset?
-- Measure: M1, M5
-- Grain: one row per (page_number, names)
-- Reads: ledger_pages, sole_clusters
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   log_number integer  number of its log
--   downstream varchar  downstream
--   source_hash bigint  hash of downstream, cluster, topic and partition as captured
-- Method: With the name of the cluster; also without, where that can only mean this cluster. Effects are matched by this
--   one number, far faster than by four names.
select
    page_number, log_number, downstream, source_hash(downstream, cluster, topic, partition) as source_hash
from ledger_pages
where match_by = 'offset'
union all
select
    ledger_pages.page_number, ledger_pages.log_number, ledger_pages.downstream,
    source_hash(ledger_pages.downstream, cast(null as varchar(1)), ledger_pages.topic, ledger_pages.partition)
        as source_hash
from ledger_pages
inner join sole_clusters
    on
        sole_clusters.downstream = ledger_pages.downstream
        and sole_clusters.topic = ledger_pages.topic
        and sole_clusters.cluster = ledger_pages.cluster
where ledger_pages.match_by = 'offset'
