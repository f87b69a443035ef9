-- Which identities may have been acknowledged more than once, by their hash?
-- Measure: M1, M4
-- Grain: one row per hash of a record_id with several acknowledged rows
-- Reads: acks
-- Parameters: none
-- Returns:
--   identity_hash bigint  hash of the record_id
-- Method: Numbers are grouped with a fraction of the memory that identities take. Two identities may share a hash: what
--   stands here is looked at by identity.
select identity_hash(record_id, 0) as identity_hash
from acks
where outcome = 'acked' and record_id is not null
group by 1
having count(*) > 1
