-- How often was each record that is looked at applied?
-- Measure: M1
-- Grain: one row per (downstream, record) that was applied at all: open, or matched by record_id
-- Reads: applications, identified_applications, identified_records, applied_effects, ledger_pages
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
with many_pages as (
    select page_number from ledger_pages where delivery = 'many'
),

other_pages as (
    select page_number from ledger_pages where delivery <> 'many'
),

many_records as (
    select identified_records.*
    from identified_records
    inner join many_pages on many_pages.page_number = identified_records.page_number
),

many_effects as (
    select
        applications.page_number, applications.record_offset, applications.record_key, applications.ordinal,
        applications.applied_us
    from applications
    inner join many_pages on many_pages.page_number = applications.page_number
    where applications.is_matched
    union all
    select
        many_records.page_number,
        many_records.record_offset,
        many_records.record_key,
        applied_effects.ordinal,
        applied_effects.applied_us
    from applied_effects
    inner join many_records
        on
            many_records.downstream = applied_effects.downstream
            and many_records.record_id = applied_effects.record_id
),

per_ordinal as (
    select
        page_number, record_offset, record_key, ordinal,
        count(*) as effects,
        min(applied_us) as first_applied_us,
        max(applied_us) as last_applied_us
    from many_effects
    group by page_number, record_offset, record_key, ordinal
)

select
    applications.page_number,
    applications.record_offset,
    cast(null as varchar(1)) as record_key,
    cast(count(*) as integer) as applied_rows,
    1 as distinct_applied,
    cast(count(*) as integer) as effects,
    min(applications.applied_us) as first_applied_us,
    max(applications.applied_us) as last_applied_us
from applications
inner join other_pages on other_pages.page_number = applications.page_number
where applications.is_matched and applications.record_key is null
group by applications.page_number, applications.record_offset
union all
select
    applications.page_number,
    applications.record_offset,
    applications.record_key,
    cast(count(*) as integer) as applied_rows,
    1 as distinct_applied,
    cast(count(*) as integer) as effects,
    min(applications.applied_us) as first_applied_us,
    max(applications.applied_us) as last_applied_us
from applications
inner join other_pages on other_pages.page_number = applications.page_number
where applications.is_matched and applications.record_key is not null
group by applications.page_number, applications.record_offset, applications.record_key
union all
select
    identified_applications.page_number,
    identified_applications.record_offset,
    identified_applications.record_key,
    cast(count(*) as integer) as applied_rows,
    1 as distinct_applied,
    cast(count(*) as integer) as effects,
    min(identified_applications.applied_us) as first_applied_us,
    max(identified_applications.applied_us) as last_applied_us
from identified_applications
inner join other_pages on other_pages.page_number = identified_applications.page_number
group by
    identified_applications.page_number, identified_applications.record_offset, identified_applications.record_key
union all
select
    page_number,
    record_offset,
    record_key,
    cast(max(effects) as integer) as applied_rows,
    cast(count(*) as integer) as distinct_applied,
    cast(sum(effects) as integer) as effects,
    min(first_applied_us) as first_applied_us,
    max(last_applied_us) as last_applied_us
from per_ordinal
group by page_number, record_offset, record_key
