"""The embedded cluster in its process, asked through confluent-kafka: healthy, hurt, and gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import ClusterError, MissingDependencyError
from rtoanalytics_collectors import kafka
from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.stage import ClusterChild
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import KafkaCluster, new_consumer, new_producer, topic_partitions
from rtoanalytics_collectors.log_records import LogReader
from rtoanalytics_collectors.partitions import cluster_info
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

LED_BY_BROKER_2 = {1, 4}


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[ClusterChild]:
    """An embedded cluster whose partitions are led by brokers 1, 2, 3, 1, 2, 3; broker 2 coordinates the group."""
    child = ClusterChild(tmp_path)
    try:
        child.start()
        child.lead({partition: partition % 3 + 1 for partition in range(flow.PARTITIONS)})
        child.coordinate(2)
        yield child
    finally:
        child.close()


@pytest.fixture
def cluster(embedded: ClusterChild) -> Iterator[KafkaCluster]:
    """The embedded cluster as collectors ask it."""
    asked = KafkaCluster("primary", embedded.bootstrap_servers)
    yield asked
    asked.close()


def produce(embedded: ClusterChild, records: int) -> None:
    """Spread records over the partitions."""
    producer = new_producer({"bootstrap.servers": embedded.bootstrap_servers})
    for number in range(records):
        producer.produce(flow.TOPIC, key=f"r{number}", value=b"v", partition=number % flow.PARTITIONS)
    assert producer.flush(10) == 0


def test_cluster_answers(embedded: ClusterChild, cluster: KafkaCluster) -> None:
    """Metadata, log ends, commits and records are those of the topic."""
    produce(embedded, 60)
    metadata = cluster.metadata([flow.TOPIC])
    assert [broker.broker_id for broker in metadata.brokers] == [1, 2, 3]
    assert [(p.partition, p.leader, p.replicas) for p in metadata.partitions] == [
        (partition, partition % 3 + 1, 3) for partition in range(6)
    ]
    ends = cluster.log_ends(flow.TOPIC_PARTITIONS)
    assert {key: (end.log_start_offset, end.log_end_offset) for key, end in ends.items()} == dict.fromkeys(
        flow.TOPIC_PARTITIONS, (0, 10)
    )
    assert cluster.committed_offsets(flow.GROUP_ID, flow.TOPIC_PARTITIONS) == {}
    consumer = new_consumer({"bootstrap.servers": embedded.bootstrap_servers, "group.id": flow.GROUP_ID})
    consumer.commit(offsets=topic_partitions(flow.TOPIC, {0: 7, 5: 3}), asynchronous=False)
    consumer.close()
    committed = cluster.committed_offsets(flow.GROUP_ID, flow.TOPIC_PARTITIONS)
    assert committed == {(flow.TOPIC, 0): 7, (flow.TOPIC, 5): 3}
    read = [offset for batch in cluster.read_batches((flow.TOPIC, 3), 2, 9) for offset in batch.offsets]
    assert read == list(range(2, 9))
    assert cluster_info(cluster)["engine"] == "librdkafka-mock"


def test_partitions_are_read_one_after_the_other(embedded: ClusterChild, cluster: KafkaCluster) -> None:
    """Each from its own offset, also beside another reading, and after one that was left in the middle."""
    produce(embedded, 60)

    def read(partition: int, first: int, last: int) -> list[int]:
        batches = cluster.read_batches((flow.TOPIC, partition), first, last)
        return [offset for batch in batches for offset in batch.offsets]

    assert read(0, 0, 10) == list(range(10))
    assert read(1, 5, 10) == list(range(5, 10))
    assert read(1, 2, 2) == []
    left = cluster.read_batches((flow.TOPIC, 2), 0, 10)
    assert next(iter(left)).offsets[0] == 0
    assert read(3, 1, 10) == list(range(1, 10))
    left.close()  # type: ignore[attr-defined]  # a generator
    assert [read(partition, 0, 10) for partition in range(6)] == [list(range(10))] * 6


def test_lost_broker_silences_only_what_it_leads(
    embedded: ClusterChild, cluster: KafkaCluster, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """Its partitions have no row, its group no answer, the rest is seen; with new leaders everything is."""
    watermarks = Watermarks(cluster, flow.TOPIC_PARTITIONS)
    commits = Commits(cluster, flow.GROUP_ID, flow.TOPIC_PARTITIONS)
    assert len(watermarks.collect()["watermarks"]) == flow.PARTITIONS
    embedded.do("broker_set_down", 2)

    def seen() -> set[int]:
        return {row["partition"] for row in watermarks.collect()["watermarks"]}

    wait_until(lambda: seen() == set(range(6)) - LED_BY_BROKER_2)
    with pytest.raises(TransientError):
        commits.collect()
    embedded.lead(dict.fromkeys(LED_BY_BROKER_2, 3))
    wait_until(lambda: seen() == set(range(6)))
    embedded.do("broker_set_up", 2)

    def is_answered() -> bool:
        try:
            commits.collect()
        except TransientError:
            return False
        return True

    wait_until(is_answered)


def test_slow_broker_gives_no_invented_offset(embedded: ClusterChild, cluster: KafkaCluster) -> None:
    """Partitions of a leader that answers too late are left out; what is there is an offset."""
    cluster.log_ends(flow.TOPIC_PARTITIONS)
    embedded.do("broker_set_rtt", 2, 3_000)
    for _ in range(3):
        try:
            ends = cluster.log_ends(flow.TOPIC_PARTITIONS)
        except TransientError:
            continue
        assert {partition for _, partition in ends}.isdisjoint(LED_BY_BROKER_2)
        assert all(0 <= end.log_start_offset <= end.log_end_offset for end in ends.values())


def test_cluster_that_goes_and_comes_back_is_survived(
    embedded: ClusterChild, cluster: KafkaCluster, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """With all brokers down every question is a TransientError, nothing aborts, and later questions are answered."""
    questions = (
        lambda: cluster.metadata([flow.TOPIC]),
        lambda: cluster.log_ends(flow.TOPIC_PARTITIONS),
        lambda: cluster.committed_offsets(flow.GROUP_ID, flow.TOPIC_PARTITIONS),
    )
    for question in questions:
        question()
    for broker in flow.BROKERS:
        embedded.do("broker_set_down", broker)
    for question in questions:
        with pytest.raises(TransientError):
            question()
    for broker in flow.BROKERS:
        embedded.do("broker_set_up", broker)

    def is_back() -> bool:
        try:
            return all(question() is not None for question in questions)
        except TransientError:
            return False

    wait_until(is_back)


def test_log_is_read_back(embedded: ClusterChild, cluster: KafkaCluster, bundle: Path, captured: Captured) -> None:
    """Every record of every partition is read once, with its id."""
    produce(embedded, 600)
    with Spool(bundle, "log_records") as log_records, Spool(bundle, "log_scans") as log_scans:
        assert LogReader(cluster, log_records, log_scans).scan(dict.fromkeys(flow.TOPIC_PARTITIONS, 0)) == 600
    assert {row["record_id"] for row in captured(bundle, "log_records")} == {f"r{number}" for number in range(600)}
    assert [row["to_offset"] for row in captured(bundle, "log_scans")] == [100] * 6


def test_embedded_cluster_refuses_what_it_cannot_do(embedded: ClusterChild) -> None:
    """A refusal names the command, its arguments and the reason; the cluster goes on."""
    with pytest.raises(ClusterError, match=r"refused partition_set_leader\(payments, 99, 1\)"):
        embedded.lead({99: 1})
    with pytest.raises(ClusterError, match='no command "explode"'):
        embedded.do("explode")
    embedded.do("broker_set_rtt", 1, 0)


PARENT = """
import pathlib, sys
from rtoanalytics_collectors.demo.stage import ClusterChild
child = ClusterChild(pathlib.Path(sys.argv[1]))
child.start()
print(child.bootstrap_servers, flush=True)
sys.stdin.read()
"""


def test_embedded_cluster_dies_with_its_parent(
    tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """A drill that is killed leaves no cluster behind."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as parent:
        assert parent.stdout
        asked = KafkaCluster("orphan", parent.stdout.readline().strip(), timeout_seconds=0.2)
        asked.metadata([])
        parent.send_signal(signal.SIGKILL)

    def is_gone() -> bool:
        try:
            asked.metadata([])
        except TransientError:
            return True
        return False

    wait_until(is_gone)


def test_missing_client_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without confluent-kafka the error is the command that installs it."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'rtoanalytics\[collect\]'"):
        kafka.client_version()


def test_commands_load_no_client_until_they_run() -> None:
    """Importing the commands is cheap: neither the client nor the demo is loaded."""
    code = (
        "import sys, rtoanalytics_collectors.cli, rtoanalytics_collectors.kafka; "
        "print([name for name in sys.modules if name.startswith(('confluent_kafka', 'rtoanalytics_collectors.demo'))])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert found.stdout.strip() == "[]"
