"""Every evidence table: its columns, their types, units, meaning, domains, and where Kafka tells them.

One place. Collectors write by it, `rto check` refuses by it, `rto seal` sorts by it, the documentation is made from it.
Instants are UTC, `timestamp[us, tz=UTC]`, and end in `_at`. Null means "not known", never zero and never -1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_OFFSET = 2**63 - 2
"""The largest offset a record can have: the log end (offset + 1) must be an int64 too."""
FIRST_INSTANT_US = 0
"""1970-01-01T00:00:00Z, inclusive: Kafka's "no timestamp" (-1 ms) lies just below it."""
LAST_INSTANT_US = 7_258_118_400_000_000
"""2200-01-01T00:00:00Z, exclusive: later instants come from a wrong unit."""


class Kind(StrEnum):
    """The logical type of a column."""

    STRING = "string"
    NAME = "name"  # a string that repeats: dictionary encoded when written
    INT32 = "int32"
    INT64 = "int64"
    DOUBLE = "double"
    BOOL = "bool"
    INSTANT = "instant"
    LABELS = "labels"


ARROW_TYPES: Mapping[Kind, pa.DataType] = MappingProxyType(
    {
        Kind.STRING: pa.string(),
        Kind.NAME: pa.string(),
        Kind.INT32: pa.int32(),
        Kind.INT64: pa.int64(),
        Kind.DOUBLE: pa.float64(),
        Kind.BOOL: pa.bool_(),
        Kind.INSTANT: pa.timestamp("us", tz="UTC"),
        Kind.LABELS: pa.map_(pa.string(), pa.string()),
    }
)


@dataclass(frozen=True)
class Column:
    """One column: what it holds and what it may hold."""

    name: str
    kind: Kind
    meaning: str
    """One phrase: what the value is, with its unit."""
    is_required: bool = False
    minimum: float | None = None
    """Smallest value allowed, inclusive; None for no bound."""
    is_minimum_exclusive: bool = False
    maximum: float | None = None
    """Largest value allowed, inclusive."""
    values: tuple[str, ...] = ()
    """The only strings allowed; empty for any."""
    required_when: str = ""
    """A condition under which the value may not be null, as `column=value`; empty when `is_required` says it all."""

    @property
    def arrow_type(self) -> pa.DataType:
        """The type the column has in Parquet."""
        return ARROW_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One evidence table."""

    name: str
    grain: str
    """What one row is."""
    source: str
    """The request, callback, file or person the rows come from."""
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    """Columns a sealed file is sorted by; the rest follow in order of definition."""
    live_instants: tuple[str, ...] = field(default=())
    """Instants that tell when the capture was running. Empty for what is read back or described afterwards."""

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The schema of a file with every column."""
        return pa.schema([pa.field(column.name, column.arrow_type) for column in self.columns])


def _name(name: str, meaning: str, *, required: bool = False, values: tuple[str, ...] = ()) -> Column:
    return Column(name, Kind.NAME, meaning, is_required=required, values=values)


def _offset(name: str, meaning: str, *, required: bool = False, required_when: str = "") -> Column:
    return Column(
        name, Kind.INT64, meaning, is_required=required, minimum=0, maximum=MAX_OFFSET, required_when=required_when
    )


def _instant(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, Kind.INSTANT, meaning, is_required=required)


def _count(name: str, meaning: str, *, required: bool = False, kind: Kind = Kind.INT64) -> Column:
    return Column(name, kind, meaning, is_required=required, minimum=0)


CLUSTER = _name("cluster", "name of the cluster in drill.yaml", required=True)
TOPIC = _name("topic", "physical topic name on that cluster", required=True)
PARTITION = Column("partition", Kind.INT32, "partition number", is_required=True, minimum=0)
GROUP_ID = _name("group_id", "consumer group", required=True)
RECORD_ID = Column("record_id", Kind.STRING, "identity of the record: key, header or business id, possibly hashed")
OBSERVED_AT = _instant("observed_at", "when the collector saw it", required=True)
LEADER_EPOCH = Column("leader_epoch", Kind.INT32, "leader epoch of the partition", minimum=0)

OUTCOMES = ("acked", "failed", "indeterminate", "aborted")

_TABLES = (
    Table(
        "acks",
        "the final outcome of one produce",
        "the producer's delivery callback",
        (
            CLUSTER,
            TOPIC,
            Column("partition", Kind.INT32, "partition number", minimum=0, required_when="outcome=acked"),
            _offset("record_offset", "offset the broker acknowledged", required_when="outcome=acked"),
            RECORD_ID,
            _name("producer", "client.id of the producer session"),
            _instant("sent_at", "when the application called produce"),
            _instant("acked_at", "when the outcome was known", required=True),
            _name("outcome", "how the produce ended", required=True, values=OUTCOMES),
            _name("error", "error code name, null when acked"),
            _name("acks", "the producer's acks setting", values=("all", "1", "0")),
        ),
        ("cluster", "topic", "partition", "record_offset", "acked_at"),
        ("acked_at",),
    ),
    Table(
        "log_records",
        "one record read back from a log",
        "Fetch, from the captured start to the log end",
        (
            CLUSTER,
            TOPIC,
            PARTITION,
            _offset("record_offset", "offset of the record", required=True),
            RECORD_ID,
            _instant("appended_at", "timestamp of the record"),
            _name("timestamp_type", "CreateTime (producer's clock) or LogAppendTime (leader's clock)"),
            LEADER_EPOCH,
            _instant("scanned_at", "scanned_at of its log_scans row"),
        ),
        ("cluster", "topic", "partition", "record_offset", "scanned_at"),
    ),
    Table(
        "log_scans",
        "one partition read back",
        "Fetch, from the captured start to the log end",
        (
            CLUSTER,
            TOPIC,
            PARTITION,
            _offset("from_offset", "first offset asked for (inclusive)", required=True),
            _offset("to_offset", "log end when the scan ended (exclusive)", required=True),
            _instant(
                "scanned_at",
                "when it was scanned; the same instant stands in the log_records rows of that scan",
                required=True,
            ),
            _name("isolation", "isolation.level of the reading consumer"),
        ),
        ("cluster", "topic", "partition", "scanned_at"),
    ),
    Table(
        "commits",
        "one offset commit",
        "__consumer_offsets (log) or OffsetFetch (poll)",
        (
            CLUSTER,
            GROUP_ID,
            TOPIC,
            PARTITION,
            _offset("committed_offset", "the NEXT offset to read", required=True),
            _instant("committed_at", "commit timestamp; for a poll, when it was asked", required=True),
            _instant("observed_at", "when the collector saw it"),
            Column("commit_seq", Kind.INT64, "breaks ties of committed_at: larger is later"),
            LEADER_EPOCH,
            _name("method", "log: every commit; poll: sampled", values=("log", "poll")),
        ),
        ("cluster", "group_id", "topic", "partition", "committed_at", "commit_seq"),
        ("committed_at",),
    ),
    Table(
        "applied",
        "one effect in a downstream",
        "the downstream's own table or topic",
        (
            _name("downstream", "name of the downstream in drill.yaml", required=True),
            _name("cluster", "source cluster of the record"),
            _name("topic", "source topic (physical name)"),
            Column("partition", Kind.INT32, "source partition", minimum=0),
            _offset("record_offset", "source offset"),
            RECORD_ID,
            Column("ordinal", Kind.INT32, "which of several rows of one record; null = 0", minimum=0),
            _instant("applied_at", "when the effect became visible", required=True),
            Column("application_id", Kind.STRING, "identity of the effect itself; equal ids count once"),
        ),
        ("downstream", "cluster", "topic", "partition", "record_offset", "applied_at"),
        ("applied_at",),
    ),
    Table(
        "watermarks",
        "the log ends of one partition at one instant",
        "ListOffsets",
        (
            CLUSTER,
            TOPIC,
            PARTITION,
            _offset("log_start_offset", "first offset still in the log"),
            _offset("log_end_offset", "offset the next record will get", required=True),
            _offset("last_stable_offset", "first offset of the oldest open transaction, or the log end"),
            OBSERVED_AT,
        ),
        ("cluster", "topic", "partition", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "partition_states",
        "one partition at one instant",
        "Metadata / DescribeTopicPartitions",
        (
            CLUSTER,
            TOPIC,
            PARTITION,
            Column("leader", Kind.INT32, "broker id of the leader; null = none", minimum=0),
            LEADER_EPOCH,
            _count("replicas", "replicas assigned", required=True, kind=Kind.INT32),
            _count("in_sync", "replicas in sync", required=True, kind=Kind.INT32),
            OBSERVED_AT,
        ),
        ("cluster", "topic", "partition", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "broker_states",
        "one broker seen at one instant",
        "DescribeCluster / Metadata",
        (
            CLUSTER,
            Column("broker_id", Kind.INT32, "node id", is_required=True, minimum=0),
            _name("host", "host:port the broker advertises"),
            _name("rack", "broker.rack"),
            Column("is_controller", Kind.BOOL, "whether this broker was named as the controller"),
            OBSERVED_AT,
        ),
        ("cluster", "broker_id", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "group_states",
        "one group at one instant",
        "DescribeGroups / ConsumerGroupDescribe",
        (
            CLUSTER,
            GROUP_ID,
            _name("state", "Stable, Empty, PreparingRebalance, …", required=True),
            _count("members", "members of the group", kind=Kind.INT32),
            _count("generation", "generation or group epoch", kind=Kind.INT32),
            OBSERVED_AT,
        ),
        ("cluster", "group_id", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "connector_states",
        "one connector or task at one instant",
        "Connect REST: status and offsets",
        (
            _name("connector", "connector name", required=True),
            Column("task_id", Kind.INT32, "task number; null = the connector itself", minimum=0),
            _name("state", "RUNNING, FAILED, PAUSED, …", required=True),
            _name("worker_id", "worker it runs on"),
            Column("trace", Kind.STRING, "stack trace of a failure"),
            Column("progress", Kind.INT64, "an offset or count that must advance: RUNNING alone proves nothing"),
            OBSERVED_AT,
        ),
        ("connector", "task_id", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "client_stats",
        "one client at one instant",
        "librdkafka statistics (stats_cb) or Java client JMX",
        (
            _name("client_id", "client.id", required=True),
            _name("role", "producer or consumer", required=True, values=("producer", "consumer")),
            _name("cluster", "cluster the client talks to"),
            _name("broker", "host:port it is connected to"),
            _name("broker_state", "connection state: UP, DOWN, CONNECT, …"),
            OBSERVED_AT,
            _count("messages_sent", "messages sent so far"),
            _count("messages_received", "messages received so far"),
            _count("requests_sent", "requests sent so far"),
            _count("request_errors", "requests that failed so far"),
            _count("retries", "requests retried so far"),
            _count("timeouts", "requests timed out so far"),
            Column(
                "rtt_p99_ms",
                Kind.DOUBLE,
                "99th percentile of the broker round trip, ms; the longest where the client's own leaves slow ones out",
                minimum=0,
            ),
            _count("rebalances", "rebalances so far"),
        ),
        ("client_id", "role", "cluster", "broker", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "metrics",
        "one sample of any metric",
        "Prometheus text endpoints and range queries",
        (
            _name("source", "endpoint or file it came from", required=True),
            _name("name", "metric name", required=True),
            Column("labels", Kind.LABELS, "label names and values"),
            Column("value", Kind.DOUBLE, "the sample", is_required=True),
            OBSERVED_AT,
        ),
        ("source", "name", "observed_at"),
        ("observed_at",),
    ),
    Table(
        "events",
        "one thing somebody or something did",
        "`rto mark`, automation, chaos tools",
        (
            _instant("occurred_at", "when it happened", required=True),
            _name("kind", "inject, heal, detect, declare, decide, switch, application_ok, rollback, …", required=True),
            _name("step", "runbook step it belongs to"),
            _name("actor", "who did it: a role or a name"),
            _name("channel", "where it was said"),
            Column("text", Kind.STRING, "what was said"),
            _name("source", "tool that recorded it"),
        ),
        ("occurred_at", "kind"),
        ("occurred_at",),
    ),
    Table(
        "checkpoints",
        "one MirrorMaker 2 checkpoint",
        "<source>.checkpoints.internal on the target cluster",
        (
            _name("source_cluster", "cluster mirrored from", required=True),
            _name("target_cluster", "cluster mirrored to", required=True),
            GROUP_ID,
            _name("topic", "topic name on the target", required=True),
            PARTITION,
            _offset("upstream_offset", "committed offset on the source", required=True),
            _offset("downstream_offset", "translated offset on the target", required=True),
            _instant("emitted_at", "record timestamp", required=True),
        ),
        ("source_cluster", "target_cluster", "group_id", "topic", "partition", "emitted_at"),
        ("emitted_at",),
    ),
    Table(
        "offset_syncs",
        "one MirrorMaker 2 offset sync",
        "mm2-offset-syncs.<alias>.internal",
        (
            _name("source_cluster", "cluster mirrored from", required=True),
            _name("target_cluster", "cluster mirrored to", required=True),
            _name("topic", "topic name on the source", required=True),
            PARTITION,
            _offset("upstream_offset", "offset on the source", required=True),
            _offset("downstream_offset", "offset of the same record on the target", required=True),
            _instant("emitted_at", "record timestamp", required=True),
        ),
        ("source_cluster", "target_cluster", "topic", "partition", "emitted_at"),
        ("emitted_at",),
    ),
    Table(
        "cluster_info",
        "what a cluster is",
        "ApiVersions / DescribeCluster",
        (
            CLUSTER,
            _name("engine", "kafka, librdkafka-mock (simulated), or another name", required=True),
            _name("version", "version the engine reports"),
            _name("cluster_id", "cluster id"),
            OBSERVED_AT,
        ),
        ("cluster", "observed_at"),
    ),
    Table(
        "heartbeats",
        "one sign of life of a collector",
        "the collector's own loop, also when there is nothing to capture",
        (
            _name("collector", "collector, named for the table it fills", required=True),
            _name("target", "cluster, downstream, group or connector it watches; null = all"),
            _instant("occurred_at", "when the collector was alive", required=True),
            Column(
                "interval_seconds",
                Kind.DOUBLE,
                "seconds it means to leave between heartbeats",
                is_required=True,
                minimum=0,
                is_minimum_exclusive=True,
            ),
            _count("rows", "rows captured so far", required=True),
            Column("clock_offset_ms", Kind.DOUBLE, "its clock minus the reference clock, ms"),
            Column("clock_error_ms", Kind.DOUBLE, "half width of that measurement, ms", minimum=0),
        ),
        ("collector", "target", "occurred_at"),
        ("occurred_at",),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
"""Every evidence table by name, in the order of the documentation."""

SIMULATED_ENGINES = ("librdkafka-mock",)
"""Engines that imitate Kafka: replication, log loss, transactions and idempotence cannot be judged on them."""

COLLECTOR_ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "log_ends": ("watermarks",),
        "partitions": ("partition_states",),
        "brokers": ("broker_states",),
        "groups": ("group_states",),
        "connectors": ("connector_states",),
        "clients": ("client_stats",),
        "mirror": ("checkpoints", "offset_syncs"),
    }
)
"""Collector names that stand for tables of other names."""
