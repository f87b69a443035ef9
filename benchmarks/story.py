"""What happens in a benchmark's bundle, as SQL: functions of a log's number and of a record's offset in it.

One hour of traffic over three topics of 64 partitions. Records are acknowledged in runs, as produce responses bring
them, and applied in the same runs. Half-way the group stands still for a minute and then catches up at four times the
rate. Ranges of records are applied twice, a few ranges never, single records late; where the log was read back, a few
ranges are not in it. Everything is arithmetic on the record's own numbers, so that nothing depends on a library's
random numbers. Instants are microseconds from the start.
"""

from __future__ import annotations

REPLAYED_AFTER_US = 5_000_000

FUNCTIONS = (
    # A number below `below` that looks like chance and is the same everywhere.
    """
    create macro chance(a, b, below) as
        ((((a * 7919 + b) * 1103515245 + 12345) % 2147483648) * 69069 % 2147483629) % below
    """,
    "create macro topic_of(log) as 'topic-' || (log // {partitions})",
    "create macro partition_of(log) as cast(log % {partitions} as integer)",
    "create macro identity_of(log, o) as sha256(log || '-' || o)",
    "create macro instant(us) as make_timestamptz({started_us} + us)",
    # The offset behind the last record of a log.
    "create macro end_of(log) as ({rows} - log + {logs} - 1) // {logs}",
    # When the run that holds the record was appended.
    "create macro appended(log, o) as o // {run} * {run_us} + log * {shift}",
    # By the producer's clock; records wait for the batch that takes them, each for a time of its own.
    "create macro created(log, o) as o * {spacing} + log * {shift} - 100000 + chance(log, o, 5000)",
    # Delivery callbacks of one response follow each other by microseconds.
    "create macro acked(log, o) as appended(log, o) + o % {run} * 4 + chance(log, o, 4)",
    # When the group comes to what was appended at x, and what it has come to at x.
    """
    create macro reached(x) as
        case when x < {halt} or x >= {caught_up} then x else {resumed} + (x - {halt}) // 4 end
    """,
    """
    create macro reached_by(x) as case
        when x < {halt} or x >= {caught_up} then x
        when x < {resumed} then {halt}
        else {halt} + (x - {resumed}) * 4
    end
    """,
    "create macro is_late(log, o) as chance(log, o, 3333) = 0 and o % 50 < 40",
    "create macro is_skipped(log, o) as chance(log + 5000, o // 20, 10000) = 0",
    "create macro is_replayed(log, o) as chance(log + 9000, o // 50, 100) < 3",
    "create macro is_unlogged(log, o) as chance(log + 7000, o // 8, 20000) = 0",
    # When the sink begins to write the run that holds the record.
    f"create macro written(log, o, attempt) as reached(appended(log, o)) + 20000 + attempt * {REPLAYED_AFTER_US}",
    """
    create macro applied(log, o, attempt) as
        written(log, o, attempt) + o % {run} * 25 + chance(log, o, 16)
        + case when is_late(log, o) then 2 * {spacing} else 0 end
    """,
    """
    create macro committed(log, x) as
        greatest(0, least(end_of(log), (reached_by(x) - 200000 - log * {shift}) // {spacing}))
    """,
    """
    create macro log_end(log, x) as
        case when x < log * {shift} then 0 else least(end_of(log), ((x - log * {shift}) // {run_us} + 1) * {run}) end
    """,
    # One number counts through everything in the order of the files; several tables joined would come in any order.
    "create macro counted(wide, high) as table select n // high as a, n % high as b from range(wide * high) as r(n)",
)

BY_PLACE = "(select a as log, b as o from counted({logs}, {longest}) where b < end_of(a))"
"""Every record, partition by partition: `log` and `o`, its offset."""
BY_RUN = """(
    select log, o
    from (
        select n // {run} % {logs} as log, n // ({run} * {logs}) * {run} + n % {run} as o
        from range(cast({from_run} as bigint) * {run} * {logs}, cast({to_run} as bigint) * {run} * {logs}) as r(n)
    ) as numbered
    where o < end_of(log)
)"""
"""The records of the runs from_run (inclusive) to to_run (exclusive) of every log, in the order of their responses."""

RECORD_TABLES = {
    "acks": """
        select
            'primary' as cluster, topic_of(log) as topic, partition_of(log) as partition, o as record_offset,
            {record_id} as record_id, instant(acked(log, o)) as acked_at, 'acked' as outcome, 'all' as acks
        from {records} as records
    """,
    "applied": """
        select 'store' as downstream, {coordinates}, {record_id} as record_id,
            instant(applied(log, o, attempt)) as applied_at
        from (
            select log, o, unnest(range(
                case when is_skipped(log, o) then 0 when is_replayed(log, o) then 2 else 1 end
            )) as attempt
            from {records} as records
        ) as attempts
        {as_written}
    """,
    "log_records": """
        select
            'primary' as cluster, topic_of(log) as topic, partition_of(log) as partition, o as record_offset,
            {record_id} as record_id, instant(created(log, o) // 1000 * 1000) as appended_at,
            'CreateTime' as timestamp_type, 0 as leader_epoch, instant({scanned} + log * 100000) as scanned_at
        from {records} as records
        where not is_unlogged(log, o)
    """,
}
"""Tables with a row for nearly every record."""

COORDINATES = """
    'primary' as cluster, topic_of(log) as topic, partition_of(log) as partition, o as record_offset
"""
NO_COORDINATES = "cast(null as varchar) as cluster"
IDENTITY = "identity_of(log, o)"
NO_IDENTITY = "cast(null as varchar)"
AS_WRITTEN = """
    where written(0, cast({from_run} as bigint) * {run}, 0) <= written(log, o, attempt)
        and ({is_last} or written(log, o, attempt) < written(0, cast({to_run} as bigint) * {run}, 0))
    order by written(log, o, attempt), log, attempt, o
"""
"""Effects that are written before those of the run `to_run` and not before those of `from_run`, replays among them."""

TABLES = {
    "commits": """
        select
            'primary' as cluster, 'sink' as group_id, topic_of(a) as topic, partition_of(a) as partition,
            committed(a, (b + 1) * 5000000) as committed_offset, instant((b + 1) * 5000000 + a) as committed_at,
            'log' as method
        from counted({logs}, {seconds} // 5)
    """,
    "watermarks": """
        select
            'primary' as cluster, topic_of(a) as topic, partition_of(a) as partition,
            cast(0 as bigint) as log_start_offset, log_end(a, b * 1000000) as log_end_offset,
            instant(b * 1000000 + 1000) as observed_at
        from counted({logs}, {seconds} + 1)
    """,
    "events": """
        select instant({halt} + b * ({resumed} - {halt})) as occurred_at, ['inject', 'heal'][b + 1] as kind
        from counted(1, 2)
    """,
    "heartbeats": """
        select
            ['acks', 'applied', 'commits', 'watermarks'][a + 1] as collector, instant(b * 1000000) as occurred_at,
            cast(1 as double) as interval_seconds, b as rows, cast(0 as double) as clock_offset_ms,
            cast(1 as double) as clock_error_ms
        from counted(4, {seconds} + 1)
    """,
}
LOG_SCANS = """
    select
        'primary' as cluster, topic_of(a) as topic, partition_of(a) as partition, cast(0 as bigint) as from_offset,
        end_of(a) as to_offset, instant({scanned} + a * 100000) as scanned_at, 'read_committed' as isolation
    from counted({logs}, 1)
"""

DRILL = """\
schema_version: 1
id: benchmark-{rows}-records
title: Benchmark, {rows} records
platform: {{name: synthetic, pattern: single-cluster}}
clusters: {{primary: {{bootstrap_servers: "127.0.0.1:9092"}}}}
flow:
  name: benchmark
  owner: nobody
  topics: [{topics}]
  groups: [{{id: sink, topics: [{names}], owner: nobody}}]
  downstreams: [{{name: store, group_id: sink, match: {match}, delivery: exactly_one, owner: nobody}}]
objectives:
  clock_starts: inject
  rto_seconds: 300
  rpo_records: 0
  restored_when:
    hold_seconds: 10
    step_seconds: 1
    conditions:
      - {{kind: lag, group_id: sink, max_records: {max_lag}}}
      - {{kind: produce_errors, max_ratio: 0.01, window_seconds: 5}}
      - {{kind: applied, downstream: store, min_ratio_of_baseline: 0.8, window_seconds: 5}}
criteria: {{max_duplicated_records: 0, max_skipped_records: 0, max_lost_records: 0, max_reordered_records: 0}}
"""
