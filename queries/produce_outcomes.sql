-- How did the produces of the flow end, and with which errors?
-- Measure: M9
-- Grain: one row per (cluster, outcome, error, acks)
-- Reads: produce_spans
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   outcome varchar  acked, failed, indeterminate or aborted
--   error varchar  error code name
--   acks varchar  the producer's acks setting
--   produces bigint  outcomes
--   first_us bigint  first of them, microseconds since the epoch
--   last_us bigint  last of them, microseconds since the epoch
-- Method: Sums over the spans.
select
    cluster,
    outcome,
    error,
    acks,
    cast(sum(produces) as bigint) as produces,
    min(first_us) as first_us,
    max(last_us) as last_us
from produce_spans
group by cluster, outcome, error, acks
