-- At which committed offsets of a backlog does no captured record stand?
-- Measure: M7
-- Grain: one row per (cluster, topic, partition, committed_offset) with lag and without a record
-- Reads: backlog_starts
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
--   committed_offset bigint  offset committed while there was lag
-- Method: A transaction marker may stand there, or nothing was captured. The next record above has to be found.
select cluster, topic, partition, committed_offset
from backlog_starts
where head_us is null
