-- Which records that are looked at one by one does each downstream that matches by record_id have to account for?
-- Measure: M1
-- Grain: one row per (downstream, record_id) that is not settled
-- Reads: acked_identities, repeated_identities, crowded_places, ledger_pages
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger where it stands
--   downstream varchar  downstream that must apply it
--   record_offset bigint  offset where it stands
--   record_id varchar  identity
--   record_key varchar  the identity where the coordinates alone do not tell the record, else null
--   is_located boolean  whether located_effects has its effects, and no other at its place
--   first_acked_us bigint  earliest acknowledgement, microseconds since the epoch
--   last_acked_us bigint  latest acknowledgement, microseconds since the epoch
-- Method: All coordinates of one identity are one record, standing at the coordinates acknowledged first.
with crowds as (
    select ledger_pages.page_number, crowded_places.record_offset
    from crowded_places
    inner join ledger_pages on ledger_pages.log_number = crowded_places.log_number
    where ledger_pages.match_by = 'record_id'
),

standing as (
    select
        coalesce(repeated_identities.page_number, acked_identities.page_number) as page_number,
        acked_identities.downstream,
        coalesce(repeated_identities.record_offset, acked_identities.record_offset) as record_offset,
        acked_identities.record_id,
        repeated_identities.record_id is null as is_sole,
        acked_identities.first_acked_us,
        acked_identities.last_acked_us
    from acked_identities
    left join repeated_identities
        on
            repeated_identities.downstream = acked_identities.downstream
            and repeated_identities.record_id = acked_identities.record_id
)

select
    standing.page_number,
    standing.downstream,
    standing.record_offset,
    standing.record_id,
    case when crowds.page_number is not null then standing.record_id end as record_key,
    standing.is_sole and crowds.page_number is null as is_located,
    standing.first_acked_us,
    standing.last_acked_us
from standing
left join crowds on crowds.page_number = standing.page_number and crowds.record_offset = standing.record_offset
