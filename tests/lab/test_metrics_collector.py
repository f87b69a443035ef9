"""A real broker with the real jmx_exporter: the shipped mapping knows what it says, however it is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.http_get import Endpoint
from rtoanalytics_collectors.metrics import MetricsEndpoint, load_mapping

pytestmark = pytest.mark.xdist_group("lab")

_EXPORTER = Path(__file__).parent / "exporter"
EXPECTED = {"active_controllers": 1, "active_brokers": 1, "under_replicated_partitions": 0, "offline_partitions": 0}


@pytest.mark.parametrize("config", ["short_names", "own_names"])
def test_broker_metrics_have_their_names(
    config: str,
    needs_kafka: None,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One broker that is its own controller: what it is known to be; once it is killed, there is no look."""
    from tests.lab.harness.jars import fetch  # noqa: PLC0415  (a client that is not installed is no lab)
    from tests.lab.harness.kafka import LabCluster  # noqa: PLC0415
    from tests.lab.harness.ports import free_ports  # noqa: PLC0415

    [agent] = fetch(_EXPORTER / "pom.xml", "exporter").glob("*.jar")
    [port] = free_ports(1)
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"-javaagent:{agent}={port}:{_EXPORTER / config}.yaml")
    endpoint = Endpoint(f"http://127.0.0.1:{port}/metrics", timeout_seconds=30)
    collector = MetricsEndpoint("broker-1", endpoint, load_mapping("jmx_exporter"))
    with LabCluster("primary", tmp_path / "primary", brokers=1) as cluster:
        cluster.create_topic("payments", partitions=2, replication=1)
        rows = collector.collect()["metrics"]
        values = {row["name"]: row["value"] for row in rows if not row["labels"]}
        assert {name: values.get(name) for name in EXPECTED} == EXPECTED
        assert {"messages_in_total", "failed_produce_requests_total", "unclean_leader_elections_total"} <= values.keys()
        cluster.kill(1)
        with pytest.raises(TransientError, match="did not answer"):
            collector.collect()
