-- From when to when was the drill captured?
-- Measure: M7
-- Grain: one row, none without live evidence
-- Reads: table_extents
-- Parameters: none
-- Returns:
--   first_us bigint  first live evidence, microseconds since the epoch
--   last_us bigint  last live evidence, microseconds since the epoch
-- Method: Extremes over what is captured while the drill runs. A downstream may hold rows from long before, so applied
--   rows do not move the beginning unless there is nothing else.
with ends as (
    select
        min(case when table_name <> 'applied' then first_us end) as first_other_us,
        min(first_us) as first_any_us,
        max(last_us) as last_us
    from table_extents
    where is_live
)

select coalesce(first_other_us, first_any_us) as first_us, last_us
from ends
where last_us is not null
