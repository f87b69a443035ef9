-- How often was each acknowledged record applied?
-- Measure: M1
-- Grain: one row per (downstream, record) that was applied at all
-- Reads: applications, drill_downstreams
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where the record stands
--   record_offset bigint  offset of the record
--   record_key varchar  identity of the record where the coordinates alone do not tell it, else null
--   applied_rows integer  n: applied rows; with delivery many the largest count over one ordinal
--   distinct_applied integer  distinct (record, ordinal) with delivery many, else 1
--   effects integer  all applied rows of the record
--   first_applied_us bigint  earliest effect, microseconds since the epoch
--   last_applied_us bigint  latest effect, microseconds since the epoch
-- Method: Counted over one ordinal where one record means several rows, over all of them elsewhere.
with per_ordinal as (
    select
        applications.page_number,
        applications.of_record_offset,
        applications.of_record_key,
        applications.ordinal,
        count(*) as effects,
        min(applications.applied_us) as first_applied_us,
        max(applications.applied_us) as last_applied_us
    from applications
    inner join drill_downstreams on drill_downstreams.downstream = applications.downstream
    where applications.is_matched and drill_downstreams.delivery = 'many'
    group by
        applications.page_number, applications.of_record_offset, applications.of_record_key, applications.ordinal
)

select
    applications.page_number,
    applications.of_record_offset as record_offset,
    cast(null as varchar(1)) as record_key,
    cast(count(*) as integer) as applied_rows,
    1 as distinct_applied,
    cast(count(*) as integer) as effects,
    min(applications.applied_us) as first_applied_us,
    max(applications.applied_us) as last_applied_us
from applications
inner join drill_downstreams on drill_downstreams.downstream = applications.downstream
where applications.is_matched and drill_downstreams.delivery <> 'many' and applications.of_record_key is null
group by applications.page_number, applications.of_record_offset
union all
select
    applications.page_number,
    applications.of_record_offset as record_offset,
    applications.of_record_key as record_key,
    cast(count(*) as integer) as applied_rows,
    1 as distinct_applied,
    cast(count(*) as integer) as effects,
    min(applications.applied_us) as first_applied_us,
    max(applications.applied_us) as last_applied_us
from applications
inner join drill_downstreams on drill_downstreams.downstream = applications.downstream
where applications.is_matched and drill_downstreams.delivery <> 'many' and applications.of_record_key is not null
group by applications.page_number, applications.of_record_offset, applications.of_record_key
union all
select
    page_number,
    of_record_offset as record_offset,
    of_record_key as record_key,
    cast(max(effects) as integer) as applied_rows,
    cast(count(*) as integer) as distinct_applied,
    cast(sum(effects) as integer) as effects,
    min(first_applied_us) as first_applied_us,
    max(last_applied_us) as last_applied_us
from per_ordinal
group by page_number, of_record_offset, of_record_key
