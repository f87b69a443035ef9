-- How old may a sample of each table be?
-- Measure: M9
-- Grain: one row per (table, scope) that a collector fills
-- Reads: heartbeats, collector_series
-- Parameters: none
-- Returns:
--   table_name varchar  evidence table
--   scope varchar  what the limit applies to, empty for everything
--   limit_us bigint  three of the collector's longest intervals, microseconds
-- Method: Where no collector says its interval, 30 seconds (applied where this relation is read).
select
    collector_series.table_name,
    collector_series.scope,
    cast(round(max(heartbeats.interval_seconds) * 3000000) as bigint) as limit_us
from heartbeats
inner join collector_series
    on
        collector_series.collector = heartbeats.collector
        and collector_series.target = coalesce(heartbeats.target, '')
group by collector_series.table_name, collector_series.scope
