-- Which clusters does the evidence speak of?
-- Measure: evidence
-- Grain: one row per cluster
-- Reads: acks, log_records, log_scans, commits, watermarks, partition_states, broker_states, cluster_info
-- Parameters: none
-- Returns:
--   cluster varchar  name of the cluster
--   is_simulated boolean  whether its engine only imitates Kafka
-- Method: The clusters named in any table; simulated if any cluster_info row names the engine librdkafka-mock.
with named as (
    select distinct cluster from acks
    union select distinct cluster from log_records
    union select distinct cluster from log_scans
    union select distinct cluster from commits
    union select distinct cluster from watermarks
    union select distinct cluster from partition_states
    union select distinct cluster from broker_states
    union select distinct cluster from cluster_info
),

simulated as (
    select distinct cluster from cluster_info where engine = 'librdkafka-mock'
)

select
    named.cluster,
    simulated.cluster is not null as is_simulated
from named
left join simulated on simulated.cluster = named.cluster
