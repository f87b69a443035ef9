"""What `rto collect` captures beside the clusters themselves: the section `collect` of the definition.

Everything is optional. Watermarks, partition and broker states, and commits need nothing here: they are captured
from every cluster that has bootstrap_servers. Durations are in seconds. `${NAME}` in an address or a path stands for
an environment variable, read when the capture begins; the analysis reads nothing of this section.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rtoanalytics.drill.facts import Facts, Name
from rtoanalytics.drill.secrets import Address, Secret, Text

Interval = Annotated[float, Field(ge=0.05, le=3_600, strict=False)]
Columns = dict[Name, Name]
"""Column of the source, by column of the evidence table `applied`."""


class RecordIdentity(Facts):
    """Where records of the flow carry their identity: their key, or a header."""

    source: Literal["key"] | None = Field(default=None, alias="from")
    header: Name | None = None
    hash_key: Secret | None = None
    """With it, identities are kept as a keyed hash (HMAC-SHA-256), so that no payload leaves the process."""

    @model_validator(mode="after")
    def _has_one_place(self) -> RecordIdentity:
        if self.source and self.header:
            msg = "the identity is in the key or in a header; keep one of from and header"
            raise ValueError(msg)
        return self

    @property
    def is_given(self) -> bool:
        """Whether the definition says where the identity is; else it is in the key."""
        return self.source is not None or self.header is not None


class DownstreamSource(Facts):
    """Where the effects of one downstream can be read: a database, a Kafka topic, or files."""

    database: Address | None = None
    """URI of the database, such as postgresql://drill:${PASSWORD}@host/payments."""
    driver: Name | None = None
    """Python module of the database's ADBC driver; default: adbc_driver_postgresql."""
    table: Name | None = None
    query: Text | None = None
    cluster: Name | None = None
    """Cluster of `topic`; beside a database or files: the cluster that its rows came from, where no column says so."""
    topic: Name | None = None
    files: Text | None = None
    """Files by pattern, relative to the current folder: Parquet, CSV or JSON lines."""
    columns: Columns = Field(default_factory=dict)
    constants: dict[Name, str | int] = Field(default_factory=dict)
    """Values that are the same in every row, by column of `applied`, such as the source topic."""
    source_headers: Columns = Field(default_factory=dict)
    """Header of the output record, by column of `applied`."""
    instants: Literal["zoned", "utc", "s", "ms", "us"] = "zoned"
    """How applied_at is kept: with its zone, without one but meant as UTC, or as a number since the epoch."""
    order: Name | None = None
    """A column that only grows: rows are read once, in its order."""
    overlap: Annotated[float, Field(ge=0, strict=False)] | None = None
    """How far below the highest value of `order` every look reads again: values, or seconds of a timestamp."""

    @model_validator(mode="after")
    def _has_one_source(self) -> DownstreamSource:
        sources = [name for name in ("database", "topic", "files") if getattr(self, name) is not None]
        if len(sources) != 1:
            found = " and ".join(sources) or "none"
            msg = f"found {found}; a downstream is read from exactly one of database, topic and files"
            raise ValueError(msg)
        if self.database and (self.table is None) == (self.query is None):
            msg = "a database needs table or query, one of them"
            raise ValueError(msg)
        if self.database and self.order is None:
            msg = "a database needs order: a column that only grows"
            raise ValueError(msg)
        if self.topic and self.cluster is None:
            msg = "a topic needs its cluster"
            raise ValueError(msg)
        return self


class ConnectWorker(Facts):
    """Kafka Connect: the REST interface of a worker, or the topic in which its workers keep their status."""

    url: Address | None = None
    cluster: Name | None = None
    status_topic: Name | None = None
    connectors: tuple[Name, ...] = ()
    """Connectors to look at; empty: all."""
    username: Text | None = None
    password: Secret | None = None
    token: Secret | None = None
    """Bearer token."""

    @model_validator(mode="after")
    def _has_one_place(self) -> ConnectWorker:
        if (self.url is None) == (self.status_topic is None):
            msg = "connect is read from url or from status_topic, one of them"
            raise ValueError(msg)
        if (self.status_topic is None) != (self.cluster is None):
            msg = "status_topic and cluster belong together"
            raise ValueError(msg)
        return self


class StatisticsFiles(Facts):
    """Files of librdkafka statistics, one JSON object a line."""

    files: Text
    cluster: Name | None = None


class MetricsSource(Facts):
    """Metrics: a Prometheus text endpoint, or range queries of a Prometheus server."""

    name: Name
    url: Address | None = None
    prometheus: Address | None = None
    mapping: Text | None = None
    """A mapping by name (kafka_exporter, jmx_exporter) or the path of a mapping file."""
    include: Name | None = None
    """Regular expression for whole names of the exporter that are kept under their own name."""
    queries: dict[Name, Text] = Field(default_factory=dict)
    """PromQL, by the name that the metric gets."""
    step_seconds: Annotated[float, Field(gt=0, le=3_600, strict=False)] = 5.0
    """Seconds between two looks at a page, or two points of a query."""
    username: Text | None = None
    password: Secret | None = None
    token: Secret | None = None
    """Bearer token."""

    @model_validator(mode="after")
    def _has_one_place(self) -> MetricsSource:
        if (self.url is None) == (self.prometheus is None):
            msg = "metrics come from url or from prometheus, one of them"
            raise ValueError(msg)
        if (self.prometheus is None) == bool(self.queries):
            msg = "prometheus and queries belong together"
            raise ValueError(msg)
        return self


class Mirror(Facts):
    """One MirrorMaker 2 flow: its checkpoints and offset syncs."""

    source: Name
    target: Name
    source_alias: Name | None = None
    """How MirrorMaker 2 calls the source; default: its name here."""
    target_alias: Name | None = None
    separator: Name = "."
    """Separator of the replication policy."""
    offset_syncs_on: Literal["source", "target"] = "source"
    """offset-syncs.topic.location of MirrorMaker 2."""


class EventEndpoint(Facts):
    """A small HTTP endpoint on loopback that automation posts events to."""

    listen: Text = "127.0.0.1:8710"
    token: Secret | None = None
    """What a caller must send as Authorization: Bearer …"""


class Collection(Facts):
    """How `rto collect` captures."""

    interval_seconds: Interval = 0.5
    record_id: RecordIdentity = RecordIdentity()
    commits: Literal["auto", "log", "poll"] = "auto"
    """From `__consumer_offsets`, by polling, or the first of the two that is allowed."""
    broker_clocks: bool = False
    """Whether to measure this host's clock against each broker's: commits offsets of groups of its own."""
    downstreams: dict[Name, DownstreamSource] = Field(default_factory=dict)
    connect: tuple[ConnectWorker, ...] = ()
    client_stats: tuple[StatisticsFiles, ...] = ()
    metrics: tuple[MetricsSource, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    events: EventEndpoint | None = None

    def clusters_named(self) -> tuple[tuple[str, str], ...]:
        """Clusters that this section refers to, each with the place where it does."""
        named = [(f"collect.downstreams.{name}", source.cluster) for name, source in self.downstreams.items()]
        named += [(f"collect.connect[{index}]", worker.cluster) for index, worker in enumerate(self.connect)]
        named += [(f"collect.client_stats[{index}]", files.cluster) for index, files in enumerate(self.client_stats)]
        for index, mirror in enumerate(self.mirrors):
            named += [(f"collect.mirrors[{index}]", name) for name in (mirror.source, mirror.target)]
        return tuple((place, cluster) for place, cluster in named if cluster is not None)
