-- At which committed offsets did groups lag behind?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, committed_offset) with lag at some step
-- Reads: offset_lag
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  offset committed while there was lag
-- Method: Few, so that they drive the many records.
select distinct cluster, topic, partition, committed_offset
from offset_lag
where lag_records > 0
