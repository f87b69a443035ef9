-- Which identities may have been acknowledged more than once, by their hash?
-- Measure: M1
-- Grain: one row per hash of a record_id with several acknowledged rows
-- Reads: acks, drill_downstreams
-- Parameters: none
-- Returns:
--   identity_hash bigint  hash of the record_id
-- Method: Numbers are grouped with a fraction of the memory that identities take. Two identities may share a hash: what
--   stands here is looked at by identity. Nothing is asked where no downstream matches by record_id.
with askers as (
    select count(*) as downstreams from drill_downstreams where match_by = 'record_id'
)

select identity_hash(acks.record_id, 0) as identity_hash
from acks
inner join askers on askers.downstreams > 0
where acks.outcome = 'acked' and acks.record_id is not null
group by 1
having count(*) > 1
