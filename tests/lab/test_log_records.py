"""The log read back from real Kafka: fences, transactions, growth, and what ListOffsets says of an open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import KafkaCluster, new_producer, reading
from rtoanalytics_collectors.kafka.client import admin_module
from rtoanalytics_collectors.log_records import LogReader
from rtoanalytics_collectors.partitions import Partitions, TopicPartitions
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.watermarks import Watermarks
from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rtoanalytics_collectors.kafka.client import Client
    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

SECONDS = 60.0


@pytest.fixture
def topic(lab_cluster: LabCluster) -> str:
    """A topic of two partitions."""
    return lab_cluster.create_topic(f"read-{uuid4().hex[:8]}", partitions=2)


@pytest.fixture
def kafka(lab_cluster: LabCluster) -> Iterator[KafkaCluster]:
    """The cluster as collectors see it."""
    cluster = KafkaCluster("primary", lab_cluster.bootstrap_servers)
    yield cluster
    cluster.close()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle that takes evidence."""
    (tmp_path / "drill.yaml").write_text("schema_version: 1\n")
    return tmp_path


def producer(cluster: LabCluster, **settings: str) -> Client:
    """A producer, with a transaction begun where it has an id for one."""
    made = new_producer({"bootstrap.servers": cluster.bootstrap_servers, **settings})
    if settings:
        made.init_transactions(SECONDS)
        made.begin_transaction()
    return made


def send(made: Client, topic: str, keys: str) -> None:
    """One record a letter to partition 0."""
    for key in keys:
        made.produce(topic, key=key, value=b"v", partition=0)
    assert made.flush(SECONDS) == 0


def scan(
    bundle: Path, cluster: KafkaCluster, topic: str, *, has_fences: bool = False, isolation: str = "read_committed"
) -> int:
    """Read both partitions back from their beginning."""
    with Spool(bundle, "log_records") as log_records, Spool(bundle, "log_scans") as log_scans:
        reader = LogReader(cluster, log_records, log_scans, isolation=isolation)
        return reader.scan({(topic, 0): 0, (topic, 1): 0}, has_fences=has_fences)


def captured(bundle: Path, table: str) -> list[dict[str, Any]]:
    """The rows of one evidence table."""
    read = [pq.read_table(path) for path in sorted((bundle / "evidence" / table).glob("*.parquet"))]
    rows: list[dict[str, Any]] = pa.concat_tables(read).to_pylist()
    return rows


def ids(bundle: Path) -> str:
    """Identities of the records read from partition 0 by the latest scan of it, in the order of the log."""
    latest = max(row["scanned_at"] for row in captured(bundle, "log_scans") if row["partition"] == 0)
    rows = [row for row in captured(bundle, "log_records") if row["scanned_at"] == latest]
    return "".join(row["record_id"] for row in sorted(rows, key=lambda row: int(row["record_offset"])))


def test_log_is_read_to_its_fence(lab_cluster: LabCluster, kafka: KafkaCluster, topic: str, bundle: Path) -> None:
    """Everything before the fence is read, markers of transactions are gaps, aborted records are not there."""
    send(producer(lab_cluster), topic, "ab")
    for letters, end in (("cd", "commit_transaction"), ("ef", "abort_transaction")):
        made = producer(lab_cluster, **{"transactional.id": f"{topic}-{letters}"})
        send(made, topic, letters)
        getattr(made, end)(SECONDS)
    assert scan(bundle, kafka, topic, has_fences=True) == 4
    assert ids(bundle) == "abcd"
    scans = {row["partition"]: (row["from_offset"], row["to_offset"]) for row in captured(bundle, "log_scans")}
    assert scans == {0: (0, 8), 1: (0, 0)}  # 6 records, 2 markers; the fence itself stands at the end (exclusive)
    send(producer(lab_cluster), topic, "g")
    assert scan(bundle, kafka, topic) == 5
    assert ids(bundle) == "abcdg"
    assert {row["timestamp_type"] for row in captured(bundle, "log_records")} == {"CreateTime"}


def test_open_transaction_is_seen_and_not_read_over(
    lab_cluster: LabCluster, kafka: KafkaCluster, topic: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records stand between the last stable offset and the log end; a committed scan cannot end, another can."""
    monkeypatch.setattr(reading, "_READ_STALL_SECONDS", 1.0)
    made = producer(lab_cluster, **{"transactional.id": topic})
    send(made, topic, "xyz")
    [first, _] = Watermarks(kafka, TopicPartitions(kafka, [topic])).collect()["watermarks"]
    assert (first["log_start_offset"], first["log_end_offset"], first["last_stable_offset"]) == (0, 3, 0)
    with pytest.raises(TransientError, match="an open transaction holds the rest back"):
        scan(bundle, kafka, topic)
    assert not (bundle / "evidence" / "log_scans").exists()
    assert scan(bundle, kafka, topic, isolation="read_uncommitted") == 3
    made.commit_transaction(SECONDS)
    assert scan(bundle, kafka, topic) == 3
    assert ids(bundle) == "xyz"


def test_states_of_a_topic_that_grows(lab_cluster: LabCluster, kafka: KafkaCluster, topic: str) -> None:
    """A partition that is added is seen; leaders have their epoch; a controller that is not known is not named."""
    watermarks = Watermarks(kafka, TopicPartitions(kafka, [topic]))
    assert len(watermarks.collect()["watermarks"]) == 2
    admin = admin_module()
    client = admin.AdminClient({"bootstrap.servers": lab_cluster.bootstrap_servers})
    client.create_partitions([admin.NewPartitions(topic, 3)])[topic].result(SECONDS)
    wait_until("the new partition to be seen", lambda: len(watermarks.collect()["watermarks"]) == 3, SECONDS)
    sample = Partitions(kafka, [topic]).collect()
    assert {row["leader_epoch"] for row in sample["partition_states"]} == {0}
    assert {row["in_sync"] for row in sample["partition_states"]} == {3}
    assert {row["is_controller"] for row in sample["broker_states"]} == {None}
