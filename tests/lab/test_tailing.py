"""Following a topic on real Kafka: a lost broker, new partitions, deleted records, another topic of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import new_producer, topic_partitions
from rtoanalytics_collectors.kafka.client import admin_module
from rtoanalytics_collectors.kafka.tailing import KafkaTail
from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics_collectors.kafka.client import Client
    from rtoanalytics_collectors.kafka.tailing import Drain, TailRecord
    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

SECONDS = 60.0


@pytest.fixture
def topic() -> str:
    """A topic name of one's own."""
    return f"tailed-{uuid4()}"


@pytest.fixture
def tail(lab_cluster: LabCluster, topic: str) -> Iterator[KafkaTail]:
    """A tail from the beginning of the topic, which is not there yet."""
    followed = KafkaTail("primary", lab_cluster.bootstrap_servers, topic)
    yield followed
    followed.close()


def send(cluster: LabCluster, topic: str, keys: range, partitions: int, **settings: str) -> None:
    """Produce a record a key, partition by partition in turn; returns when all are acknowledged."""
    producer = new_producer({"bootstrap.servers": cluster.bootstrap_servers, **settings})
    if settings:
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
    for key in keys:
        producer.produce(topic, key=str(key), value=b"v", partition=key % partitions, headers={"h": str(key)})
    if settings:
        producer.commit_transaction(SECONDS)
    assert producer.flush(SECONDS) == 0


@pytest.fixture
def admin(lab_cluster: LabCluster) -> Client:
    """An Admin client; it must outlive the answers it waits for."""
    return admin_module().AdminClient({"bootstrap.servers": lab_cluster.bootstrap_servers})


def keys(records: list[TailRecord]) -> list[int]:
    """Keys of records, sorted."""
    return sorted(int(record.key or b"-1") for record in records)


def is_gone(tail: KafkaTail) -> bool:
    """Whether the topic of a tail is not there."""
    try:
        tail.drain()
    except TransientError as error:
        return "UNKNOWN_TOPIC" in str(error)
    return False


def caught_up(tail: KafkaTail) -> list[Drain]:
    """Looks until one is caught up; looks that fail are looks too."""
    drains: list[Drain] = []

    def is_caught_up() -> bool:
        try:
            drains.append(tail.drain())
        except TransientError:
            return False
        return drains[-1].is_caught_up

    wait_until(f"the tail of {tail.topic} to catch up", is_caught_up, SECONDS)
    return drains


def test_a_look_has_everything_that_was_there(lab_cluster: LabCluster, tail: KafkaTail, topic: str) -> None:
    """History, then what is new, each record once, with all it carries; also where the log ends in markers."""
    with pytest.raises(TransientError, match="UNKNOWN_TOPIC_OR_PART"):
        tail.drain()
    lab_cluster.create_topic(topic, partitions=3, replication=3)
    send(lab_cluster, topic, range(300), 3)
    history = [record for drain in caught_up(tail) for record in drain.records]
    assert keys(history) == list(range(300))
    assert all(record.is_history and record.leader_epoch is not None for record in history)
    assert history[0].timestamp_type == "CreateTime"
    assert history[0].headers == [("h", (history[0].key or b""))]
    send(lab_cluster, topic, range(300, 330), 3, **{"transactional.id": topic})
    new: list[TailRecord] = []

    def is_committed() -> bool:
        """A commit is answered before its markers are in the partitions: the records are stable a little later."""
        new.extend(tail.drain().records)
        return keys(new) == list(range(300, 330))

    wait_until("the transaction to be stable", is_committed, SECONDS)
    assert not any(record.is_history for record in new)
    assert tail.drain().is_caught_up


def test_lost_broker_silences_its_own_partitions_only(lab_cluster: LabCluster, tail: KafkaTail, topic: str) -> None:
    """What cannot be read is said, the rest goes on, and after the return nothing is missing or comes twice."""
    lab_cluster.create_topic(topic, partitions=3, replication=1, min_insync_replicas=1)
    send(lab_cluster, topic, range(30), 3)
    caught_up(tail)
    lost = lab_cluster.leader(topic, 1)
    assert lost is not None
    lab_cluster.kill(lost)
    producer = new_producer({"bootstrap.servers": lab_cluster.bootstrap_servers, "log_level": 0})
    for key in range(30, 60):
        if key % 3 != 1:
            producer.produce(topic, key=str(key), partition=key % 3)
    assert producer.flush(SECONDS) == 0
    during: list[TailRecord] = []

    def is_only_one_silent() -> bool:
        drain = tail.drain()
        during.extend(drain.records)
        return set(drain.behind) == {1}

    wait_until("only the lost partition to be silent", is_only_one_silent, SECONDS)
    assert keys(during) == [key for key in range(30, 60) if key % 3 != 1]
    lab_cluster.restart(lost)
    send(lab_cluster, topic, range(61, 91, 3), 3)
    after = [record for drain in caught_up(tail) for record in drain.records]
    assert keys(after) == list(range(61, 91, 3))


def test_new_partitions_are_read_from_their_start(
    lab_cluster: LabCluster, admin: Client, tail: KafkaTail, topic: str
) -> None:
    """A topic that grows is followed whole; what is in its new partitions came after the tail began."""
    lab_cluster.create_topic(topic, partitions=1, replication=1, min_insync_replicas=1)
    send(lab_cluster, topic, range(3), 1)
    caught_up(tail)
    for grown in admin.create_partitions([admin_module().NewPartitions(topic, 3)]).values():
        grown.result(SECONDS)
    wait_until("the partitions to have leaders", lambda: lab_cluster.leader(topic, 2) is not None, SECONDS)
    send(lab_cluster, topic, range(6, 12), 3)
    found: list[TailRecord] = []

    def is_read() -> bool:
        found.extend(tail.drain().records)
        return keys(found) == list(range(6, 12))

    wait_until("the new partitions to be read", is_read, SECONDS)
    assert not any(record.is_history for record in found)


def test_deleted_records_are_a_gap(lab_cluster: LabCluster, admin: Client, tail: KafkaTail, topic: str) -> None:
    """What retention took before it was read is said by offsets, and reading goes on behind it."""
    lab_cluster.create_topic(topic, partitions=1, replication=3)
    send(lab_cluster, topic, range(10), 1)
    caught_up(tail)
    tail.close()
    send(lab_cluster, topic, range(10, 30), 1)
    for deleted in admin.delete_records(topic_partitions(topic, {0: 25})).values():
        deleted.result(SECONDS)
    drains = caught_up(tail)
    [gap] = [gap for drain in drains for gap in drain.gaps]
    assert (gap.partition, gap.from_offset, gap.to_offset, gap.reason) == (0, 10, 25, "retention")
    assert keys([record for drain in drains for record in drain.records]) == list(range(25, 30))


def test_another_topic_of_the_name_is_read_from_its_start(
    lab_cluster: LabCluster, admin: Client, tail: KafkaTail, topic: str
) -> None:
    """A log that ends below what was read is another log: said, and read from its start."""
    lab_cluster.create_topic(topic, partitions=1, replication=1, min_insync_replicas=1)
    send(lab_cluster, topic, range(10), 1)
    caught_up(tail)
    for deleted in admin.delete_topics([topic]).values():
        deleted.result(SECONDS)
    wait_until("the topic to be gone", lambda: is_gone(tail), SECONDS)
    lab_cluster.create_topic(topic, partitions=1, replication=1, min_insync_replicas=1)
    send(lab_cluster, topic, range(100, 103), 1)
    drains = caught_up(tail)
    assert [(gap.from_offset, gap.to_offset, gap.reason) for drain in drains for gap in drain.gaps] == [
        (0, 10, "truncation")
    ]
    assert keys([record for drain in drains for record in drain.records]) == [100, 101, 102]


def test_a_tail_goes_on_where_another_stopped(lab_cluster: LabCluster, tail: KafkaTail, topic: str) -> None:
    """Started from the next offsets of an earlier tail: what came between them, once. From the end: only what comes."""
    lab_cluster.create_topic(topic, partitions=3, replication=3)
    send(lab_cluster, topic, range(30), 3)
    caught_up(tail)
    end = KafkaTail("primary", lab_cluster.bootstrap_servers, topic, start="end")
    assert [record for drain in caught_up(end) for record in drain.records] == []
    send(lab_cluster, topic, range(30, 60), 3)
    later = KafkaTail("primary", lab_cluster.bootstrap_servers, topic, start=tail.next_offsets)
    for followed in (later, end):
        assert keys([record for drain in caught_up(followed) for record in drain.records]) == list(range(30, 60))
        followed.close()
