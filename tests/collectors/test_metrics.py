"""Metrics: pages of exporters as they are, range queries, and names that a mapping gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import prometheus_client as prometheus
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.http_get import Endpoint
from rtoanalytics_collectors.metrics import MetricsEndpoint, RangeQueries, load_mapping, shipped_mappings
from rtoanalytics_collectors.metrics.mapping import parse_mapping
from rtoanalytics_collectors.metrics.range_queries import MAX_POINTS, query_range
from rtoanalytics_collectors.spool import Spool
from tests.collectors.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

TEXT = "text/plain; version=0.0.4; charset=utf-8"
KAFKA_EXPORTER = b"""# HELP kafka_brokers Number of Brokers in the Kafka Cluster.
# TYPE kafka_brokers gauge
kafka_brokers 3
# HELP kafka_consumergroup_lag Current Approximate Lag of a ConsumerGroup at Topic/Partition
# TYPE kafka_consumergroup_lag gauge
kafka_consumergroup_lag{consumergroup="sink",partition="0",topic="pay \\"x\\""} 17
kafka_consumergroup_lag{consumergroup="sink",partition="1",topic="payments"} NaN
# TYPE kafka_topic_partition_current_offset gauge
kafka_topic_partition_current_offset{partition="0",topic="payments"} 1.234567e+06
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile="0"} 1.1e-05
go_gc_duration_seconds_sum 0.5
go_gc_duration_seconds_count 9
# TYPE requests counter
requests 4
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
up 1 1700000000123
bound +Inf
"""


def rows_of(page: bytes, content_type: str = TEXT, **options: Any) -> tuple[MetricsEndpoint, list[dict[str, Any]]]:  # noqa: ANN401
    """The collector of a page after one look, and its rows."""
    with HttpServer({"/metrics": (200, content_type, page)}) as server:
        collector = MetricsEndpoint("exporter", Endpoint(f"{server.url}/metrics"), clock=lambda: 5, **options)
        return collector, collector.collect()["metrics"]


def named(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Values by name, of names that stand once."""
    return {row["name"]: row["value"] for row in rows}


def test_every_sample_keeps_its_own_name() -> None:
    """Without a mapping all is kept as it stands on the page; what is not a finite number is counted."""
    collector, rows = rows_of(KAFKA_EXPORTER)
    assert named(rows) == {
        "kafka_brokers": 3,
        "kafka_consumergroup_lag": 17,
        "kafka_topic_partition_current_offset": 1_234_567,
        "go_gc_duration_seconds": 1.1e-05,
        "go_gc_duration_seconds_sum": 0.5,
        "go_gc_duration_seconds_count": 9,
        "requests": 4,
        "process_cpu_seconds_total": 12.5,
        "up": 1,
    }
    assert collector.samples.not_finite == 2
    assert {row["name"]: row["observed_at"] for row in rows}["up"] == 1_700_000_000_123_000
    assert rows[0]["observed_at"] == 5


def test_mapping_names_and_include_adds() -> None:
    """A mapped sample has the canonical name and labels; beside them only what matches include, whole names."""
    _, rows = rows_of(KAFKA_EXPORTER, mapping=load_mapping("kafka_exporter"), include="go_gc.*_sum|up")
    assert named(rows) == {
        "brokers": 3,
        "lag_records": 17,
        "log_end_offset": 1_234_567,
        "go_gc_duration_seconds_sum": 0.5,
        "up": 1,
    }
    labels = {row["name"]: row["labels"] for row in rows}
    assert labels["lag_records"] == [("group_id", "sink"), ("partition", "0"), ("topic", 'pay "x"')]
    assert labels["brokers"] == []


def test_rows_are_evidence(bundle: Path, captured: Callable[..., list[dict[str, Any]]]) -> None:
    """The table takes them, labels as a map."""
    _, rows = rows_of(KAFKA_EXPORTER, include="kafka_consumergroup_lag")
    with Spool(bundle, "metrics") as spool:
        spool.append(*rows)
    [row] = captured(bundle, "metrics")
    assert dict(row["labels"])["consumergroup"] == "sink"


def test_page_of_a_real_client_library_is_read_in_both_formats() -> None:
    """What Prometheus' own library writes, as text and as OpenMetrics, gives the same values."""
    registry = prometheus.CollectorRegistry()
    prometheus.Counter("sent", "records", ["topic"], registry=registry).labels("t\n1").inc(3)
    prometheus.Gauge("lag", "records", registry=registry).set(2.5)
    prometheus.Histogram("seconds", "latency", registry=registry, buckets=[1]).observe(0.25)
    _, text = rows_of(prometheus.generate_latest(registry))
    from prometheus_client.openmetrics import exposition  # noqa: PLC0415

    written: Any = exposition.generate_latest
    _, open_metrics = rows_of(written(registry), exposition.CONTENT_TYPE_LATEST)
    for rows in (text, open_metrics):
        values = named([row for row in rows if "_created" not in row["name"]])
        assert values == {"sent_total": 3, "lag": 2.5, "seconds_bucket": 1, "seconds_count": 1, "seconds_sum": 0.25}
        assert next(row["labels"] for row in rows if row["name"] == "sent_total") == [("topic", "t\n1")]


@pytest.mark.parametrize("page", [b"<html>not found</html>", b"lag {\n", b"lag\n", b"1lag 3\n"])
def test_page_of_something_else_is_not_a_look(page: bytes) -> None:
    """A login page or a torn one: no rows, one clear message."""
    with pytest.raises(TransientError, match="no page of metrics"):
        rows_of(page)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_endpoint_without_a_page_is_not_a_look(status: int) -> None:
    """A broker that is down has no metrics: missing, never zero."""
    with HttpServer({"/metrics": (status, TEXT, b"")}) as server, pytest.raises(TransientError, match=str(status)):
        MetricsEndpoint("e", Endpoint(f"{server.url}/metrics")).collect()


@given(st.binary(max_size=200))
def test_any_page_is_read_or_refused(page: bytes) -> None:
    """Whatever an address answers, a look ends in rows or in TransientError."""
    collector = MetricsEndpoint("e", Endpoint("http://127.0.0.1:1"))
    for content_type in (TEXT, "application/openmetrics-text"):
        try:
            collector._rows(page.decode("utf-8", "replace"), content_type, 5)
        except TransientError as error:
            assert "no page of metrics" in str(error)  # noqa: PT017


# One sample as the exporter names it, with what the mapping must make of it.
SAMPLES = [
    ("kafka_exporter", "kafka_topic_partition_oldest_offset", {"topic": "t", "partition": "1"}, "log_start_offset"),
    ("kafka_exporter", "kafka_topic_partition_in_sync_replica", {"topic": "t", "partition": "1"}, "in_sync_replicas"),
    ("kafka_lag_exporter", "kafka_consumergroup_group_lag_seconds", {"group": "g"}, "lag_seconds"),
    ("kafka_lag_exporter", "kafka_partition_latest_offset", {"topic": "t"}, "log_end_offset"),
    ("kminion", "kminion_kafka_topic_partition_high_water_mark", {"topic_name": "t"}, "log_end_offset"),
    ("kminion", "kminion_end_to_end_messages_lost_total", {}, "probe_lost_total"),
    ("jmx_exporter", "kafka_server_replicamanager_underreplicatedpartitions", {}, "under_replicated_partitions"),
    (
        "jmx_exporter",
        "kafka_server_ReplicaManager_Value",
        {"name": "UnderReplicatedPartitions"},
        "under_replicated_partitions",
    ),
    ("jmx_exporter", "kafka_server_ReplicaManager_Value", {"name": "LeaderCount"}, None),
    ("jmx_exporter", "kafka_controller_kafkacontroller_offlinepartitionscount", {}, "offline_partitions"),
    ("jmx_exporter", "kafka_server_brokertopicmetrics_messagesin_total", {"topic": "t"}, "messages_in_total"),
    (
        "jmx_exporter",
        "kafka_network_requestmetrics_requestqueuetimems",
        {"request": "Produce", "quantile": "0.99"},
        "request_queue_time_p99_ms",
    ),
    ("jmx_exporter", "kafka_network_requestmetrics_requestqueuetimems", {"quantile": "0.5"}, None),
]


@pytest.mark.parametrize(("mapping", "name", "labels", "expected"), SAMPLES)
def test_shipped_mapping_knows_its_exporter(
    mapping: str, name: str, labels: dict[str, str], expected: str | None
) -> None:
    """Names as the exporters document them have their canonical name; others have none."""
    found = load_mapping(mapping).named(name, labels)
    assert (found and found[0]) == expected


def test_mappings_are_shipped() -> None:
    """Each is a whole mapping, also from an installed package."""
    assert shipped_mappings() == ("jmx_exporter", "kafka_exporter", "kafka_lag_exporter", "kminion")
    assert all(load_mapping(name).rules for name in shipped_mappings())


def test_mapping_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """A file maps what another configuration of jmx_exporter names; labels that are not there are left out."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "metrics:\n  - {name: lag, from: 'my_.*_lag', where: {env: 'prod|test'}, labels: {g: group, x: y}}\n"
    )
    mapping = load_mapping(str(path))
    assert mapping.named("my_kafka_lag", {"env": "prod", "group": "a"}) == ("lag", {"g": "a"})
    assert mapping.named("my_kafka_lag", {"env": "dev"}) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics: [{name: a, form: b}]", r'metrics\[0\]: found form \(did you mean "from"\?\)'),
        ("metrics: [{name: a}]", "from must be a text"),
        ("metrics: [{name: a, from: '('}]", r"metrics\[0\]\.from: found '\(', which is no regular expression"),
        ("metrics: [{name: a, from: b, labels: {c: 1}}]", "labels: must be texts"),
        ("metrics: [a]", "a rule has the keys"),
        ("rules: []", "one key, metrics"),
        ("a: [", "line 1: this is no YAML"),
        ("", "one key, metrics"),
    ],
)
def test_mapping_that_is_none_is_refused(text: str, message: str) -> None:
    """One message: the file, the rule, what was found and what is allowed."""
    with pytest.raises(UsageError, match=message):
        parse_mapping(text, "mine.yaml")


def test_unknown_mapping_offers_the_nearest() -> None:
    """A name that is neither shipped nor a file."""
    with pytest.raises(UsageError, match=r'did you mean "kafka_exporter"'):
        load_mapping("kafka_exporters")


class Prometheus:
    """Answers range queries as a Prometheus server does, for a counter that is its own instant."""

    def __init__(self) -> None:
        self.windows: list[tuple[float, float]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        self.windows.append((start, end))
        count = int((end - start) / step + 1e-6) + 1
        status, found = 200, {"status": "success", "data": {"resultType": "matrix", "result": []}}
        if count > 11_000 or asked["query"] == "(":
            status, found = 400, {"status": "error", "errorType": "bad_data", "error": "parse error"}
        points = [
            [start + step * at, "NaN" if asked["query"] == "nan" else str(start + step * at)] for at in range(count)
        ]
        series = {"metric": {"__name__": "x", "topic": "t"}, "values": points}
        found["data"] = {"resultType": "matrix", "result": [series]}
        body = json.dumps(found).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def test_every_step_is_asked_once_look_by_look() -> None:
    """Instants stand on whole steps; a look after an outage has every step of it; a restart goes on where it was."""
    now = [12_000_000]
    server = Prometheus()
    with HttpServer({"/api/v1/query_range": server}) as http:
        queries = RangeQueries("prom", Endpoint(http.url), {"lag": "sum(x)"}, step_seconds=5, clock=lambda: now[0])
        first = queries.collect()["metrics"]
        now[0] = 13_000_000
        assert queries.collect()["metrics"] == []
        now[0] = 31_000_000
        rows = queries.collect()["metrics"]
        resumed = RangeQueries("prom", Endpoint(http.url), {"lag": "sum(x)"}, step_seconds=5, clock=lambda: 36_000_000)
        resumed.resume([row | {"source": "other", "observed_at": 1} for row in first] + rows)
        later = resumed.collect()["metrics"]
    assert [row["observed_at"] for row in first] == [10_000_000]
    assert [row["observed_at"] for row in rows] == [15_000_000, 20_000_000, 25_000_000, 30_000_000]
    assert [row["observed_at"] for row in later] == [35_000_000]
    assert rows[0] == {
        "source": "prom",
        "name": "lag",
        "labels": [("topic", "t")],
        "value": 15,
        "observed_at": 15_000_000,
    }


def test_window_after_the_fact_is_one_look() -> None:
    """Start and end are inclusive, and a second look has nothing more."""
    with HttpServer({"/api/v1/query_range": Prometheus()}) as http:
        queries = RangeQueries(
            "prom",
            Endpoint(http.url),
            {"lag": "x", "none": "nan"},
            step_seconds=1,
            start_at=100_000_000,
            end_at=103_000_000,
        )
        rows = queries.collect()["metrics"]
        assert queries.collect()["metrics"] == []
    assert [row["observed_at"] for row in rows] == [100_000_000, 101_000_000, 102_000_000, 103_000_000]
    assert queries.samples.not_finite == 4


def test_long_window_is_asked_in_pieces() -> None:
    """A server refuses more than 11,000 points; no instant is asked twice, none left out."""
    server = Prometheus()
    with HttpServer({"/api/v1/query_range": server}) as http:
        end_at = (2 * MAX_POINTS + 4) * 1_000_000 + 500_000
        points = list(query_range(Endpoint(http.url, timeout_seconds=10), "x", 0, end_at, 1_000_000))
    assert [at for _, _, at in points] == list(range(0, end_at, 1_000_000))
    assert len(server.windows) == 3


@pytest.mark.parametrize(
    "document",
    [{}, [], {"data": {"resultType": "vector", "result": []}}, {"data": {"resultType": "matrix", "result": [{}]}}],
)
def test_answer_that_is_no_matrix_is_not_a_look(document: object) -> None:
    """Another server, another API."""
    reply = (200, "application/json", json.dumps(document).encode())
    with HttpServer({"/api/v1/query_range": reply}) as http, pytest.raises(TransientError, match="no matrix"):
        RangeQueries("p", Endpoint(http.url), {"a": "b"}).collect()


def test_query_that_is_refused_is_named() -> None:
    """A query that the server cannot parse is no passing failure."""
    with (
        HttpServer({"/api/v1/query_range": Prometheus()}) as http,
        pytest.raises(ClusterError, match=r"the query '\('"),
    ):
        RangeQueries("p", Endpoint(http.url), {"a": "("}).collect()


def test_step_must_be_above_zero() -> None:
    """Refused before anything is asked."""
    with pytest.raises(UsageError, match="step_seconds is 0"):
        RangeQueries("p", Endpoint("http://127.0.0.1:1"), {}, step_seconds=0)
