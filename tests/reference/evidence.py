"""The evidence tables: their columns, and how repeated rows collapse."""

from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

# Column types in Arrow's words; `instant` is timestamp[us, tz=UTC] on disk and int microseconds in the twin.
COLUMNS: dict[str, dict[str, str]] = {
    "acks": {
        "cluster": "string",
        "topic": "string",
        "partition": "int32",
        "record_offset": "int64",
        "record_id": "string",
        "producer": "string",
        "sent_at": "instant",
        "acked_at": "instant",
        "outcome": "string",
        "error": "string",
        "acks": "string",
    },
    "log_records": {
        "cluster": "string",
        "topic": "string",
        "partition": "int32",
        "record_offset": "int64",
        "record_id": "string",
        "appended_at": "instant",
        "timestamp_type": "string",
        "leader_epoch": "int32",
        "scanned_at": "instant",
    },
    "log_scans": {
        "cluster": "string",
        "topic": "string",
        "partition": "int32",
        "from_offset": "int64",
        "to_offset": "int64",
        "scanned_at": "instant",
        "isolation": "string",
    },
    "commits": {
        "cluster": "string",
        "group_id": "string",
        "topic": "string",
        "partition": "int32",
        "committed_offset": "int64",
        "committed_at": "instant",
        "observed_at": "instant",
        "commit_seq": "int64",
        "leader_epoch": "int32",
        "method": "string",
    },
    "applied": {
        "downstream": "string",
        "cluster": "string",
        "topic": "string",
        "partition": "int32",
        "record_offset": "int64",
        "record_id": "string",
        "ordinal": "int32",
        "applied_at": "instant",
        "application_id": "string",
    },
    "watermarks": {
        "cluster": "string",
        "topic": "string",
        "partition": "int32",
        "log_start_offset": "int64",
        "log_end_offset": "int64",
        "last_stable_offset": "int64",
        "observed_at": "instant",
    },
    "partition_states": {
        "cluster": "string",
        "topic": "string",
        "partition": "int32",
        "leader": "int32",
        "leader_epoch": "int32",
        "replicas": "int32",
        "in_sync": "int32",
        "observed_at": "instant",
    },
    "broker_states": {
        "cluster": "string",
        "broker_id": "int32",
        "host": "string",
        "rack": "string",
        "is_controller": "bool",
        "observed_at": "instant",
    },
    "group_states": {
        "cluster": "string",
        "group_id": "string",
        "state": "string",
        "members": "int32",
        "generation": "int32",
        "observed_at": "instant",
    },
    "connector_states": {
        "connector": "string",
        "task_id": "int32",
        "state": "string",
        "worker_id": "string",
        "trace": "string",
        "progress": "int64",
        "observed_at": "instant",
    },
    "client_stats": {
        "client_id": "string",
        "role": "string",
        "cluster": "string",
        "broker": "string",
        "broker_state": "string",
        "observed_at": "instant",
        "messages_sent": "int64",
        "messages_received": "int64",
        "requests_sent": "int64",
        "request_errors": "int64",
        "retries": "int64",
        "timeouts": "int64",
        "rtt_p99_ms": "double",
        "rebalances": "int64",
    },
    "metrics": {"source": "string", "name": "string", "labels": "map", "value": "double", "observed_at": "instant"},
    "events": {
        "occurred_at": "instant",
        "kind": "string",
        "step": "string",
        "actor": "string",
        "channel": "string",
        "text": "string",
        "source": "string",
    },
    "checkpoints": {
        "source_cluster": "string",
        "target_cluster": "string",
        "group_id": "string",
        "topic": "string",
        "partition": "int32",
        "upstream_offset": "int64",
        "downstream_offset": "int64",
        "emitted_at": "instant",
    },
    "offset_syncs": {
        "source_cluster": "string",
        "target_cluster": "string",
        "topic": "string",
        "partition": "int32",
        "upstream_offset": "int64",
        "downstream_offset": "int64",
        "emitted_at": "instant",
    },
    "cluster_info": {
        "cluster": "string",
        "engine": "string",
        "version": "string",
        "cluster_id": "string",
        "observed_at": "instant",
    },
    "heartbeats": {
        "collector": "string",
        "target": "string",
        "occurred_at": "instant",
        "interval_seconds": "double",
        "rows": "int64",
        "clock_offset_ms": "double",
        "clock_error_ms": "double",
    },
}

# `partition` and `record_offset` of acks are null only where the outcome is not `acked`: the columns are always there.
OPTIONAL_COLUMNS: dict[str, list[str]] = {
    "acks": ["record_id", "producer", "sent_at", "error", "acks"],
    "log_records": ["record_id", "timestamp_type", "leader_epoch", "scanned_at"],
    "log_scans": ["isolation"],
    "commits": ["observed_at", "commit_seq", "leader_epoch", "method"],
    "applied": ["cluster", "topic", "partition", "record_offset", "record_id", "ordinal", "application_id"],
    "watermarks": ["log_start_offset", "last_stable_offset"],
    "partition_states": ["leader", "leader_epoch"],
    "broker_states": ["host", "rack", "is_controller"],
    "group_states": ["members", "generation"],
    "connector_states": ["task_id", "worker_id", "trace", "progress"],
    "client_stats": [
        "cluster",
        "broker",
        "broker_state",
        "messages_sent",
        "messages_received",
        "requests_sent",
        "request_errors",
        "retries",
        "timeouts",
        "rtt_p99_ms",
        "rebalances",
    ],
    "metrics": ["labels"],
    "events": ["step", "actor", "channel", "text", "source"],
    "checkpoints": [],
    "offset_syncs": [],
    "cluster_info": ["version", "cluster_id"],
    "heartbeats": ["target", "clock_offset_ms", "clock_error_ms"],
}


def distinct_tables(tables: Tables) -> Tables:
    """Return every known table, each row with all its listed columns, and rows captured twice counted once."""
    evidence: Tables = {}
    for table, columns in COLUMNS.items():
        rows = [{column: row.get(column) for column in columns} for row in tables.get(table, [])]
        evidence[table] = distinct_applications(rows) if table == "applied" else distinct_rows(rows)
    return evidence


def distinct_rows(rows: list[Row]) -> list[Row]:
    """Keep one of the rows that are equal in every listed column."""
    kept: dict[tuple[object, ...], Row] = {}
    for row in rows:
        kept.setdefault(tuple(_hashable(value) for value in row.values()), row)
    return list(kept.values())


def distinct_applications(rows: list[Row]) -> list[Row]:
    """Keep the smallest row of each application_id of a downstream; rows without application_id are all kept."""
    order = ["applied_at", "cluster", "topic", "partition", "record_offset", "record_id", "ordinal"]
    kept: dict[tuple[str, str], Row] = {}
    without_id = []
    for row in sorted(rows, key=lambda row: [nulls_highest(row[column]) for column in order]):
        if row["application_id"] is None:
            without_id.append(row)
        else:
            kept.setdefault((row["downstream"], row["application_id"]), row)
    return without_id + list(kept.values())


def nulls_lowest(value: object) -> tuple[object, ...]:
    """Return a sort key that puts null below every value."""
    return (0,) if value is None else (1, value)


def nulls_highest(value: object) -> tuple[object, ...]:
    """Return a sort key that puts null above every value."""
    return (1,) if value is None else (0, value)


def _hashable(value: object) -> object:
    return tuple(sorted(value.items())) if isinstance(value, dict) else value
