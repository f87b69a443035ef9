-- How many produces ended in which way, step by step?
-- Measure: M9
-- Grain: one row per (cluster, outcome, step) in which a produce ended
-- Reads: produce_spans, drill_objectives
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   outcome varchar  acked, failed, indeterminate or aborted
--   step_us bigint  first step at or after them, microseconds since the epoch
--   produces bigint  outcomes since the step before
-- Method: An outcome counts at the first step at or after it. Steps are whole numbers of spans.
select
    produce_spans.cluster,
    produce_spans.outcome,
    produce_spans.span_end_us
    + (drill_objectives.step_us - produce_spans.span_end_us % drill_objectives.step_us) % drill_objectives.step_us
        as step_us,
    cast(sum(produce_spans.produces) as bigint) as produces
from produce_spans
cross join drill_objectives
group by 1, 2, 3
