-- How many rows does each table hold, and from when to when?
-- Measure: M11
-- Grain: one row per evidence table with rows
-- Reads: acks, captured_produce_spans, commits, captured_applied_spans, watermarks, partition_states, broker_states, group_states, connector_states, client_stats, metrics, events, checkpoints, offset_syncs, heartbeats, captured_log_words, log_scans, cluster_info, collector_series, table_names
-- Parameters: none
-- Returns:
--   table_name varchar  evidence table
--   row_count bigint  rows, captured twice or not
--   first_us bigint  earliest instant of the table, microseconds since the epoch
--   last_us bigint  latest instant of the table, microseconds since the epoch
--   is_live boolean  whether its rows are captured while the drill runs, not read back or described afterwards
-- Method: Over the instant at which each row was captured or happened. Heartbeats of collectors that only read back
--   afterwards do not count: the drill was over. Of the largest tables by what summaries say.
with live_collectors as (
    select distinct collector_series.collector, collector_series.target
    from collector_series
    inner join table_names on table_names.table_name = collector_series.table_name and table_names.is_live
),

live_heartbeats as (
    select heartbeats.occurred_us
    from heartbeats
    inner join live_collectors
        on
            live_collectors.collector = heartbeats.collector
            and live_collectors.target = coalesce(heartbeats.target, '')
),

outcomes as (
    select produces, first_us, last_us from captured_produce_spans
    union all
    select count(*), min(acked_us), max(acked_us) from acks where outcome <> 'acked'
),

extents as (
    select 'acks' as table_name, sum(produces) as row_count, min(first_us) as first_us, max(last_us) as last_us, true as is_live from outcomes
    union all select 'commits', count(*), min(committed_us), max(committed_us), true from commits
    union all select 'applied', sum(effects), min(first_us), max(last_us), true from captured_applied_spans
    union all select 'watermarks', count(*), min(observed_us), max(observed_us), true from watermarks
    union all select 'partition_states', count(*), min(observed_us), max(observed_us), true from partition_states
    union all select 'broker_states', count(*), min(observed_us), max(observed_us), true from broker_states
    union all select 'group_states', count(*), min(observed_us), max(observed_us), true from group_states
    union all select 'connector_states', count(*), min(observed_us), max(observed_us), true from connector_states
    union all select 'client_stats', count(*), min(observed_us), max(observed_us), true from client_stats
    union all select 'metrics', count(*), min(observed_us), max(observed_us), true from metrics
    union all select 'events', count(*), min(occurred_us), max(occurred_us), true from events
    union all select 'checkpoints', count(*), min(emitted_us), max(emitted_us), true from checkpoints
    union all select 'offset_syncs', count(*), min(emitted_us), max(emitted_us), true from offset_syncs
    union all select 'heartbeats', count(*), min(occurred_us), max(occurred_us), true from live_heartbeats
    union all select 'log_records', sum(log_rows), min(scanned_us), max(scanned_us), false from captured_log_words
    union all select 'log_scans', count(*), min(scanned_us), max(scanned_us), false from log_scans
    union all select 'cluster_info', count(*), min(observed_us), max(observed_us), false from cluster_info
)

select table_name, cast(row_count as bigint) as row_count, first_us, last_us, is_live
from extents
where row_count > 0
