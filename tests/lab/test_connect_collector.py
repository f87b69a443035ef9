"""A real Kafka Connect worker and sink: what REST and the status topic tell, while it runs and when it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from rtoanalytics_collectors.connectors import ConnectRest, ConnectStatusTopic
from rtoanalytics_collectors.connectors.progress import SinkProgress
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import KafkaCluster, new_producer
from rtoanalytics_collectors.kafka.tailing import KafkaTail
from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Collector
    from tests.lab.databases import Database
    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

SECONDS = 90.0
RECORDS = 50


def send(cluster: LabCluster, topic: str, records: int) -> None:
    """Produce payments."""
    producer = new_producer({"bootstrap.servers": cluster.bootstrap_servers})
    for number in range(records):
        producer.produce(topic, key=str(number), value=f'{{"id": "{uuid4()}"}}')
    assert producer.flush(SECONDS) == 0


def look_until(collector: Collector, what: str, is_enough: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    """Rows by (connector, task) of the first look that has what is waited for."""
    found: dict[tuple[str, int | None], dict[str, Any]] = {}

    def is_there() -> bool:
        try:
            rows = collector.collect()["connector_states"]
        except TransientError:
            return False
        found.update({(row["connector"], row["task_id"]): row for row in rows})
        return bool(found) and is_enough(found)

    wait_until(what, is_there, SECONDS)
    return found


def test_connector_is_seen_running_advancing_and_failing(
    lab_cluster: LabCluster, database: Database, tmp_path: Path
) -> None:
    """Both ways agree on every state; progress is what the sink has committed; a trace keeps no password."""
    from tests.lab.harness.connect import PAYMENTS_TABLE, ConnectWorker, jdbc_sink  # noqa: PLC0415

    topic, name = f"payments-{uuid4()}", f"sink-{uuid4()}"
    lab_cluster.create_topic(topic, partitions=2, replication=1, min_insync_replicas=1)
    database.execute(PAYMENTS_TABLE.format(table="payments"))
    group = f"connect-{uuid4()}"
    cluster = KafkaCluster("primary", lab_cluster.bootstrap_servers)
    tail = KafkaTail("primary", lab_cluster.bootstrap_servers, f"{group}-status")
    with ConnectWorker(lab_cluster.bootstrap_servers, tmp_path / "connect", group_id=group) as worker:
        rest = ConnectRest(worker.url)
        status = ConnectStatusTopic(tail, progress=SinkProgress(cluster, [(topic, 0), (topic, 1)]))
        worker.create(name, jdbc_sink(database.server, database.name, topic))
        send(lab_cluster, topic, RECORDS)
        for collector in (rest, status):
            found = look_until(collector, "the sink to have committed", lambda rows: progress(rows, name) == RECORDS)
            assert {(key, row["state"]) for key, row in found.items()} == {
                ((name, None), "RUNNING"),
                ((name, 0), "RUNNING"),
            }
            assert found[name, 0]["worker_id"]
        database.execute("drop table payments")
        send(lab_cluster, topic, RECORDS)
        for collector in (rest, status):
            found = look_until(collector, "the task to fail", lambda rows: rows[name, 0]["state"] == "FAILED")
            assert "Exception" in found[name, 0]["trace"]
            assert database.server.password not in found[name, 0]["trace"]
            assert found[name, None]["progress"] == RECORDS
        worker.delete(name)
        found = look_until(status, "the deletion", lambda rows: rows[name, None]["state"] == "DESTROYED")
        assert rest.collect() == {"connector_states": []}
    with pytest.raises(TransientError, match="did not answer"):
        rest.collect()
    status.close()
    cluster.close()


def progress(rows: dict[tuple[str, int | None], dict[str, Any]], name: str) -> int | None:
    """Progress of a connector, where it is known."""
    row = rows.get((name, None))
    return row["progress"] if row else None
