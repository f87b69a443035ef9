-- In which state was each connection, client, group, partition, controller and connector, and from when until when?
-- Measure: M9
-- Grain: one row per stretch of samples of one thing that say the same
-- Reads: client_stats, group_states, partition_states, broker_states, connector_states
-- Parameters: none
-- Returns:
--   kind varchar  connection, rebalances, group, partition, controller or connector
--   subject varchar  client.id, group, topic-partition, cluster or connector
--   place varchar  broker of a connection, cluster of a group or partition, number of a connector's task; else empty
--   state varchar  what the samples say
--   is_sound boolean  whether work can go on in that state
--   from_us bigint  first sample of the stretch, microseconds since the epoch
--   until_us bigint  first sample that says something else, the last sample of all if none does, microseconds since the epoch
--   samples bigint  samples in the stretch
--   first_progress bigint  lowest progress a connector or task reported in it
--   last_progress bigint  highest progress a connector or task reported in it
-- Method: Samples of one instant are one sample: the worse state counts. A stretch ends where the next one begins;
--   what lies between two samples is not known. UP and UPDATE are connected, Stable groups work, partitions need a
--   leader and every replica in sync, connectors must be RUNNING.
with observed as (
    select
        'connection' as kind,
        client_id as subject,
        broker as place,
        coalesce(upper(broker_state), 'UP') as state,
        coalesce(upper(broker_state) in ('UP', 'UPDATE'), true) as is_sound,
        observed_us,
        cast(null as bigint) as progress
    from client_stats
    where broker is not null
    union all
    select
        'rebalances' as kind,
        client_id as subject,
        '' as place,
        cast(max(rebalances) as varchar(20)) as state,
        true as is_sound,
        observed_us,
        cast(null as bigint) as progress
    from client_stats
    where rebalances is not null and role = 'consumer'
    group by client_id, observed_us
    union all
    select
        'group' as kind,
        group_id as subject,
        cluster as place,
        state
        || coalesce(', generation ' || cast(generation as varchar(20)), '')
        || coalesce(', ' || cast(members as varchar(20)) || case when members = 1 then ' member' else ' members' end, '')
            as state,
        lower(state) = 'stable' as is_sound,
        observed_us,
        cast(null as bigint) as progress
    from group_states
    union all
    select
        'partition' as kind,
        topic || '-' || cast(partition as varchar(20)) as subject,
        cluster as place,
        coalesce('leader ' || cast(leader as varchar(20)), 'no leader')
        || ', ' || cast(in_sync as varchar(20)) || ' of ' || cast(replicas as varchar(20)) || ' in sync' as state,
        leader is not null and in_sync >= replicas as is_sound,
        observed_us,
        cast(null as bigint) as progress
    from partition_states
    union all
    select
        'controller' as kind,
        cluster as subject,
        '' as place,
        'broker ' || cast(broker_id as varchar(20)) as state,
        true as is_sound,
        observed_us,
        cast(null as bigint) as progress
    from broker_states
    where is_controller
    union all
    select
        'connector' as kind,
        connector as subject,
        coalesce('task ' || cast(task_id as varchar(20)), '') as place,
        upper(state) as state,
        upper(state) = 'RUNNING' as is_sound,
        observed_us,
        progress
    from connector_states
),

ranked as (
    select
        kind, subject, place, state, is_sound, observed_us,
        max(progress) over (partition by kind, subject, place, observed_us) as progress,
        row_number() over (
            partition by kind, subject, place, observed_us order by case when is_sound then 1 else 0 end, state
        ) as number
    from observed
),

compared as (
    select
        kind, subject, place, state, is_sound, observed_us, progress,
        lag(state) over (partition by kind, subject, place order by observed_us) as state_before,
        lead(observed_us) over (partition by kind, subject, place order by observed_us) as next_us
    from ranked
    where number = 1
),

numbered as (
    select
        kind, subject, place, state, is_sound, observed_us, progress, next_us,
        sum(case when state_before is null or state_before <> state then 1 else 0 end) over (
            partition by kind, subject, place order by observed_us rows unbounded preceding
        ) as stretch
    from compared
)

select
    kind,
    subject,
    place,
    min(state) as state,
    min(case when is_sound then 1 else 0 end) = 1 as is_sound,
    min(observed_us) as from_us,
    max(coalesce(next_us, observed_us)) as until_us,
    count(*) as samples,
    min(progress) as first_progress,
    max(progress) as last_progress
from numbered
group by kind, subject, place, stretch
