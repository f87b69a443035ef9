-- Which collector watches what, and which tables does it fill?
-- Measure: M11
-- Grain: one row per (collector, target, table)
-- Reads: heartbeats, table_names, drill_names
-- Parameters: none
-- Returns:
--   collector varchar  name in the heartbeats
--   target varchar  what it watches, empty for everything
--   table_name varchar  evidence table it fills
--   scope varchar  the cluster, downstream, group or connector it is limited to, empty for everything
--   is_named boolean  whether its name says which table it fills
-- Method: A collector fills the table that its name, or the part before : / - @, names. A collector of any other name
--   stands for every table that has no collector of its own.
with series as (
    select distinct collector, coalesce(target, '') as target
    from heartbeats
),

named as (
    select series.collector, series.target, table_names.table_name
    from series
    inner join table_names
        on
            series.collector = table_names.alias
            or (
                substr(series.collector, 1, length(table_names.alias)) = table_names.alias
                and substr(series.collector, length(table_names.alias) + 1, 1) in (':', '/', '-', '@')
            )
),

unnamed as (
    select series.collector, series.target, table_names.table_name
    from series
    cross join table_names
    left join named on named.collector = series.collector and named.target = series.target
    left join (select distinct table_name from named) as own on own.table_name = table_names.table_name
    where named.collector is null and own.table_name is null and table_names.alias = table_names.table_name
),

filled as (
    select collector, target, table_name, true as is_named from named
    union all
    select collector, target, table_name, false as is_named from unnamed
)

select
    filled.collector,
    filled.target,
    filled.table_name,
    coalesce(drill_names.name, '') as scope,
    filled.is_named
from filled
left join drill_names on drill_names.name = filled.target
