"""Clocks of real brokers, which run on this host: what is measured is this host's clock against itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.broker_clocks import GROUP_PREFIX, BrokerClocks, GroupStamps
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import KafkaCluster
from rtoanalytics_collectors.kafka.client import admin_module
from tests.lab.harness.kafka import LabCluster
from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("lab")

OFFSETS_TOPIC = "__consumer_offsets"
MARGIN_MS = 2.0
DEFINITION = """\
schema_version: 1
id: clocks
clusters: {{primary: {{bootstrap_servers: "{servers}"}}}}
flow: {{name: payments, topics: [{{name: "{topic}"}}], groups: [{{id: payments-sink}}]}}
objectives: {{rto_seconds: 1}}
collect: {{broker_clocks: true}}
"""


AUTHORIZED = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.fixture
def kafka(lab_cluster: LabCluster) -> Iterator[KafkaCluster]:
    """The cluster, with its topic of commits."""
    cluster = with_commits(lab_cluster)
    yield cluster
    cluster.close()


def with_commits(lab_cluster: LabCluster) -> KafkaCluster:
    """The cluster, where a group has been asked for: its topic of commits is there."""
    cluster = KafkaCluster("primary", lab_cluster.bootstrap_servers)

    def is_led() -> bool:
        try:
            cluster.committed_offsets("clocks-asker", [(OFFSETS_TOPIC, 0)])
            partitions = cluster.metadata([OFFSETS_TOPIC]).partitions
        except TransientError:  # the coordinator may still be loading
            return False
        return bool(partitions) and all(partition.leader is not None for partition in partitions)

    wait_until("the topic of commits has leaders", is_led, 60)
    return cluster


def reserve_clock_groups(lab_cluster: LabCluster) -> None:
    """Give the groups of the clocks to somebody else."""
    admin = admin_module()
    groups = (admin.ResourceType.GROUP, GROUP_PREFIX, admin.ResourcePatternType.PREFIXED)
    right = admin.AclBinding(*groups, "User:other", "*", admin.AclOperation.READ, admin.AclPermissionType.ALLOW)
    client = admin.AdminClient({"bootstrap.servers": lab_cluster.bootstrap_servers})
    for created in client.create_acls([right]).values():
        created.result(30)


def measured(lab_cluster: LabCluster, kafka: KafkaCluster) -> BrokerClocks:
    """The clocks, each broker's measured at least once: its coordinator has loaded the groups of the clocks."""
    clocks = BrokerClocks(kafka, partial(GroupStamps, "primary", lab_cluster.bootstrap_servers, {}))

    def are_measured() -> bool:
        with suppress(TransientError):
            clocks.collect()
        return clocks.readings().keys() == lab_cluster.brokers.keys()

    wait_until("every broker is measured", are_measured, 60)
    clocks.close()
    return clocks


def test_every_broker_of_this_host_agrees_with_this_host(lab_cluster: LabCluster, kafka: KafkaCluster) -> None:
    """Each broker is measured, no further off than the error says; so is the cluster."""
    clocks = measured(lab_cluster, kafka)
    readings = clocks.readings()
    for reading in (*readings.values(), clocks.reading()):
        assert reading is not None
        assert reading.offset_ms is not None
        assert reading.error_ms is not None
        assert abs(reading.offset_ms) <= reading.error_ms + MARGIN_MS, readings
        assert 0.5 <= reading.error_ms < 1_000


def test_heartbeats_of_a_capture_carry_the_clock(lab_cluster: LabCluster, kafka: KafkaCluster, tmp_path: Path) -> None:
    """Those of watermarks and partitions; the readings of each broker are rows of `metrics`."""
    topic = f"clocks-{uuid4().hex[:8]}"
    lab_cluster.create_topic(topic)
    measured(lab_cluster, kafka)
    bundle = tmp_path / "drill"
    bundle.mkdir()
    (bundle / "drill.yaml").write_text(DEFINITION.format(servers=lab_cluster.bootstrap_servers, topic=topic))
    code = "from rtoanalytics.cli.main import run; run()"
    answer = subprocess.run(
        [sys.executable, "-c", code, "collect", str(bundle), "--for", "15", "--json"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert answer.returncode == 0, answer.stderr
    by_name = {collector["collector"]: collector for collector in json.loads(answer.stdout)["collectors"]}
    assert by_name["metrics-clocks-primary"]["rows"] >= 2 * len(lab_cluster.brokers)
    beats = pq.read_table(bundle / "evidence" / "heartbeats").to_pylist()
    for table in ("watermarks", "partition_states", "broker_states"):
        last = max((beat for beat in beats if beat["collector"] == table), key=lambda beat: beat["occurred_at"])
        assert abs(last["clock_offset_ms"]) <= last["clock_error_ms"] + MARGIN_MS
    assert {beat["target"] for beat in beats if beat["collector"] == "metrics"} == {"primary"}
    samples = pq.read_table(bundle / "evidence" / "metrics").to_pylist()
    assert {row["name"] for row in samples} == {"clock_offset_ms", "clock_error_ms"}
    brokers = {dict(row["labels"])["broker"] for row in samples}
    assert brokers == {str(broker) for broker in lab_cluster.brokers}


def test_groups_that_may_not_be_used_are_a_refusal_in_words(needs_kafka: None, tmp_path: Path) -> None:  # noqa: ARG001
    """The client would wait for a coordinator for ever; the first look says which right is missing instead."""
    with LabCluster("refusing", tmp_path / "cluster", 1, settings=AUTHORIZED) as cluster:
        kafka = with_commits(cluster)
        reserve_clock_groups(cluster)
        refusals: list[str] = []

        def is_refused() -> bool:
            clocks = BrokerClocks(kafka, partial(GroupStamps, "primary", cluster.bootstrap_servers, {}))
            try:
                clocks.collect()
            except TransientError:  # the coordinator may still be loading
                return False
            except ClusterError as error:
                refusals.append(str(error))
            finally:
                clocks.close()
            return bool(refusals)

        wait_until("the groups are refused", is_refused, 60)
        kafka.close()
    assert refusals[0].startswith(f'cluster "primary" refused commits of group {GROUP_PREFIX}')
    assert "GROUP_AUTHORIZATION_FAILED" in refusals[0]
    assert "ACLs" in refusals[0]
