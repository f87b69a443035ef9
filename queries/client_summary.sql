-- What did each client go through, and was it connected again at the end?
-- Measure: M9
-- Grain: one row per (client_id, role)
-- Reads: client_stats, clock
-- Parameters: none
-- Returns:
--   client_id varchar  client.id
--   role varchar  producer or consumer
--   first_us bigint  first sample, microseconds since the epoch
--   last_us bigint  last sample, microseconds since the epoch
--   retries bigint  requests retried from the clock start on
--   timeouts bigint  requests timed out from the clock start on
--   request_errors bigint  requests failed from the clock start on
--   rebalances bigint  rebalances from the clock start on
--   brokers_before bigint  brokers it was connected to before the clock start
--   brokers_after bigint  brokers it was connected to from the clock start on
--   disconnected_us bigint  first sample from the clock start on in which a connection was lost, microseconds since the epoch
--   reconnected_us bigint  first sample after that in which that connection was up again, microseconds since the epoch
--   was_connected boolean  whether a connection was up in any sample
--   is_connected_at_end boolean  whether a connection is up in its last sample
-- Method: Counters are cumulative for each connection: what the last sample has more than the last before the clock
--   start (counters that fell were reset and count from zero). UP and UPDATE are connected states.
with sampled as (
    select
        client_stats.client_id,
        client_stats.role,
        coalesce(client_stats.broker, '') as broker,
        client_stats.observed_us,
        coalesce(upper(client_stats.broker_state) in ('UP', 'UPDATE'), client_stats.broker_state is null) as is_up,
        coalesce(client_stats.observed_us >= clock.clock_started_us, false) as is_after,
        client_stats.retries,
        client_stats.timeouts,
        client_stats.request_errors,
        client_stats.rebalances
    from client_stats
    cross join clock
),

connections as (
    select
        client_id,
        role,
        broker,
        max(case when not is_after then retries end) as retries_before,
        max(case when is_after then retries end) as retries_after,
        max(case when not is_after then timeouts end) as timeouts_before,
        max(case when is_after then timeouts end) as timeouts_after,
        max(case when not is_after then request_errors end) as errors_before,
        max(case when is_after then request_errors end) as errors_after,
        max(case when not is_after then rebalances end) as rebalances_before,
        max(case when is_after then rebalances end) as rebalances_after,
        max(case when is_up and not is_after then 1 else 0 end) as up_before,
        max(case when is_up and is_after then 1 else 0 end) as up_after,
        min(case when is_after and not is_up then observed_us end) as down_us
    from sampled
    group by client_id, role, broker
),

returns as (
    select
        connections.client_id, connections.role, connections.broker, connections.down_us,
        min(sampled.observed_us) as up_us
    from connections
    left join sampled
        on
            sampled.client_id = connections.client_id
            and sampled.role = connections.role
            and sampled.broker = connections.broker
            and sampled.is_up
            and sampled.observed_us > connections.down_us
    where connections.up_before = 1 and connections.down_us is not null
    group by connections.client_id, connections.role, connections.broker, connections.down_us
),

returned as (
    select client_id, role, min(down_us) as disconnected_us, max(up_us) as reconnected_us
    from returns
    group by client_id, role
),

lasts as (
    select client_id, role, min(observed_us) as first_us, max(observed_us) as last_us
    from sampled
    group by client_id, role
),

final_states as (
    select sampled.client_id, sampled.role, max(case when sampled.is_up then 1 else 0 end) as up
    from sampled
    inner join lasts
        on
            lasts.client_id = sampled.client_id
            and lasts.role = sampled.role
            and lasts.last_us = sampled.observed_us
    group by sampled.client_id, sampled.role
),

totals as (
    select
        client_id,
        role,
        sum(case when retries_after < retries_before then retries_after
            else retries_after - coalesce(retries_before, 0) end) as retries,
        sum(case when timeouts_after < timeouts_before then timeouts_after
            else timeouts_after - coalesce(timeouts_before, 0) end) as timeouts,
        sum(case when errors_after < errors_before then errors_after
            else errors_after - coalesce(errors_before, 0) end) as request_errors,
        max(case when rebalances_after < rebalances_before then rebalances_after
            else rebalances_after - coalesce(rebalances_before, 0) end) as rebalances,
        sum(case when broker <> '' then up_before else 0 end) as brokers_before,
        sum(case when broker <> '' then up_after else 0 end) as brokers_after,
        max(case when up_before = 1 or up_after = 1 then 1 else 0 end) as was_up
    from connections
    group by client_id, role
)

select
    totals.client_id,
    totals.role,
    lasts.first_us,
    lasts.last_us,
    cast(totals.retries as bigint) as retries,
    cast(totals.timeouts as bigint) as timeouts,
    cast(totals.request_errors as bigint) as request_errors,
    cast(totals.rebalances as bigint) as rebalances,
    cast(totals.brokers_before as bigint) as brokers_before,
    cast(totals.brokers_after as bigint) as brokers_after,
    returned.disconnected_us,
    returned.reconnected_us,
    totals.was_up = 1 as was_connected,
    final_states.up = 1 as is_connected_at_end
from totals
inner join lasts on lasts.client_id = totals.client_id and lasts.role = totals.role
inner join final_states on final_states.client_id = totals.client_id and final_states.role = totals.role
left join returned on returned.client_id = totals.client_id and returned.role = totals.role
