-- Where does the record stand of each effect that names only its identity?
-- Measure: M1, M5
-- Grain: one row per effect of a downstream that matches by record_id, whose identity was acknowledged once
-- Reads: merged_applied, identity_places
-- Parameters: none
-- Returns:
--   page_number integer  row of the ledger
--   record_offset bigint  offset of the record
--   applied_us bigint  when it became visible, microseconds since the epoch
-- Method: From here on these effects are counted by word as if they had named the place. Identities that were acknowledged
--   more than once are looked at one by one.
select identity_places.page_number, identity_places.record_offset, merged_applied.applied_us
from merged_applied
inner join identity_places
    on
        identity_places.effect_hash = identity_hash(
            merged_applied.record_id,
            source_hash(
                merged_applied.downstream, cast(null as varchar(1)), cast(null as varchar(1)), cast(null as integer)
            )
        )
