-- Which logs took acknowledged records, and by which number do the queries call each?
-- Measure: M1
-- Grain: one row per (cluster, topic, partition)
-- Reads: acked_words
-- Parameters: none
-- Returns:
--   log_number integer  its number, from 1
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition
-- Method: The numbers that acked_words gave.
select distinct log_number, cluster, topic, partition
from acked_words
