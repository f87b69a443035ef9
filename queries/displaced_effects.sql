-- Which downstreams captured one effect at more than one place?
-- Measure: M5
-- Grain: one row per downstream
-- Reads: applied, repeated_effects
-- Parameters: none
-- Returns:
--   downstream varchar  downstream
-- Method: Of the rows with one application_id only the earliest is an effect. The others would stand in the way of their
--   neighbors if they were at another place.
with copies as (
    select
        applied.downstream, applied.application_id,
        applied.cluster, applied.topic, applied.partition, applied.record_offset
    from applied
    inner join repeated_effects
        on
            repeated_effects.downstream = applied.downstream
            and repeated_effects.application_id = applied.application_id
    group by
        applied.downstream, applied.application_id,
        applied.cluster, applied.topic, applied.partition, applied.record_offset
),

displaced as (
    select downstream, application_id
    from copies
    group by downstream, application_id
    having count(*) > 1
)

select distinct downstream
from displaced
