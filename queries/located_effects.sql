-- Where does the record stand of each effect that names only its identity?
-- Measure: M1, M5
-- Grain: one row per effect of a downstream that matches by record_id, whose identity was acknowledged once
-- Reads: merged_applied, ledger_pages, identity_places
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   record_offset bigint  offset of the record
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: From here on these effects are counted by word as if they had named the place. Identities that were acknowledged
--   more than once are looked at one by one.
with identity_downstreams as (
    select downstream, min(page_number) as downstream_page
    from ledger_pages
    where match_by = 'record_id'
    group by downstream
)

select identity_places.page_number, identity_places.record_offset, merged_applied.applied_us
from merged_applied
inner join identity_downstreams on identity_downstreams.downstream = merged_applied.downstream
inner join identity_places
    on
        identity_places.downstream_page = identity_downstreams.downstream_page
        and identity_places.identity_hash = identity_hash(merged_applied.record_id, 0)
