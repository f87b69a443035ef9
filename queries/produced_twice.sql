-- Which record identities stand at two or more coordinates of one topic?
-- Measure: M4
-- Grain: one row per (cluster, topic, partition) with at least one
-- Reads: acks, log_records, flow_topics, repeated_hashes
-- Parameters: none
-- Returns:
--   cluster varchar  cluster
--   topic varchar  physical topic
--   partition integer  partition of the lowest coordinate of each
--   produced_twice bigint  identities
-- Method: Over acknowledged records and records read back, counted where the lowest (partition, offset) is. First by hash,
--   then, of the hashes at several coordinates, by identity. Where nothing was read back, the hashes acknowledged more than
--   once are all there can be.
with read_back as (
    select distinct 1 as is_asked
    from log_records
    where record_id is not null
),

suspects as (
    select identity_hash from repeated_hashes
    union
    select identity_hash
    from (
        select cluster, topic, partition, record_offset, identity_hash(record_id, 0) as identity_hash
        from acks
        cross join read_back
        where outcome = 'acked' and record_id is not null
        union all
        select cluster, topic, partition, record_offset, identity_hash(record_id, 0) as identity_hash
        from log_records
        where record_id is not null
    ) as places
    group by cluster, topic, identity_hash
    having min(partition) <> max(partition) or min(record_offset) <> max(record_offset)
),

suspect_places as (
    select acks.cluster, acks.topic, acks.partition, acks.record_offset, acks.record_id
    from acks
    inner join suspects on suspects.identity_hash = identity_hash(acks.record_id, 0)
    where acks.outcome = 'acked'
    union all
    select
        log_records.cluster, log_records.topic, log_records.partition, log_records.record_offset, log_records.record_id
    from log_records
    inner join suspects on suspects.identity_hash = identity_hash(log_records.record_id, 0)
),

identities as (
    select
        cluster, topic, record_id,
        min(partition) as partition,
        min(partition) <> max(partition) or min(record_offset) <> max(record_offset) as is_repeated
    from suspect_places
    group by cluster, topic, record_id
)

select identities.cluster, identities.topic, identities.partition, count(*) as produced_twice
from identities
inner join flow_topics on flow_topics.cluster = identities.cluster and flow_topics.topic = identities.topic
where identities.is_repeated
group by identities.cluster, identities.topic, identities.partition
