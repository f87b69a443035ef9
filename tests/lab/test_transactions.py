"""The ack recorder around a transactional producer of a real cluster: a row says what its transaction came to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics_collectors.acks import AckRecorder
from rtoanalytics_collectors.spool.recovery import recover

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

COMMITTED, ABORTED = 200, 100
DRILL = """\
schema_version: 1
id: transactions
clusters: {{primary: {{bootstrap_servers: "{bootstrap_servers}"}}}}
flow:
  name: payments
  topics: [{{name: {topic}}}]
  groups: [{{id: sink, topics: [{topic}]}}]
  downstreams: [{{name: store, group_id: sink}}]
objectives: {{rto_seconds: 60}}
"""
KILLED_APPLICATION = """
import json, sys, threading
from rtoanalytics_collectors.acks import AckRecorder

order = json.loads(sys.stdin.readline())
recorder = AckRecorder.connect(order["settings"], order["bundle"], cluster="primary")
recorder.init_transactions()
for records in order["transactions"]:
    recorder.begin_transaction()
    for number in range(records):
        recorder.produce(order["topic"], b"value", f"id-{number}")
    recorder.flush()
    if records != order["transactions"][-1]:
        recorder.commit_transaction()
recorder._capture.beat()
print("all acknowledged, the last transaction is open", flush=True)
threading.Event().wait()
"""


def prepared(bundle: Path, cluster: LabCluster, topic: str) -> str:
    """A new topic for this test; the bundle's definition names it."""
    topic = cluster.create_topic(topic, partitions=2)
    bundle.mkdir()
    (bundle / "drill.yaml").write_text(DRILL.format(bootstrap_servers=cluster.bootstrap_servers, topic=topic))
    return topic


def settings_of(cluster: LabCluster, transactional_id: str) -> dict[str, Any]:
    """Settings of a transactional producer."""
    names = {"transactional.id": transactional_id, "client.id": "app"}
    return {"bootstrap.servers": cluster.bootstrap_servers, "linger.ms": 5, **names}


def outcomes_of(bundle: Path) -> Counter[str]:
    """Captured produces by outcome."""
    files = bundle / "evidence" / "acks" / "*.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"select outcome, count(*) from read_parquet('{files}') group by outcome")
        return Counter(dict(connection.fetchall()))


def test_records_are_what_their_transaction_came_to(lab_cluster: LabCluster, tmp_path: Path) -> None:
    """Committed records are acked, aborted ones aborted, with offsets of the real log; the ledger knows only the acked.

    `rto check` accepts the evidence, and aborted records are in the list of outcomes, not among those to be applied.
    """
    bundle = tmp_path / "bundle"
    topic = prepared(bundle, lab_cluster, "transactions")
    with AckRecorder.connect(settings_of(lab_cluster, topic), bundle, cluster="primary") as recorder:
        recorder.init_transactions()
        for records, end in ((COMMITTED, recorder.commit_transaction), (ABORTED, recorder.abort_transaction)):
            recorder.begin_transaction()
            for number in range(records):
                recorder.produce(topic, b"value", f"{records}-{number}")
            recorder.flush()
            end()
    assert recorder.outcomes == {"acked": COMMITTED, "failed": 0, "indeterminate": 0, "aborted": ABORTED}
    assert outcomes_of(bundle) == {"acked": COMMITTED, "aborted": ABORTED}
    checked = subprocess.run([sys.executable, "-m", "rtoanalytics", "check", str(bundle)], check=False)
    assert checked.returncode == 0
    with open_engine(open_bundle(bundle)) as engine:
        run_queries(engine, ["ledger", "produce_outcomes"])
        assert sum(row["acked"] for row in engine.rows("ledger")) == COMMITTED
        produces = {row["outcome"]: row["produces"] for row in engine.rows("produce_outcomes")}
    assert produces == {"acked": COMMITTED, "aborted": ABORTED}


def test_killed_in_the_middle_nothing_of_the_open_transaction_is_captured(
    lab_cluster: LabCluster, tmp_path: Path
) -> None:
    """The transactions before it are captured whole; of the open one the brokers have acknowledged all, and none is."""
    bundle = tmp_path / "bundle"
    topic = prepared(bundle, lab_cluster, "killed-transaction")
    order = {"settings": settings_of(lab_cluster, topic), "bundle": str(bundle), "topic": topic}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", KILLED_APPLICATION]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as application:
        assert application.stdin
        assert application.stdout
        application.stdin.write(json.dumps({**order, "transactions": [30, 20, 50]}) + "\n")
        application.stdin.flush()
        assert application.stdout.readline().startswith("all acknowledged")
        application.kill()
    recover(bundle)
    assert outcomes_of(bundle) == {"acked": 50}
