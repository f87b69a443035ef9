"""MirrorMaker 2 between two real clusters: its checkpoints and offset syncs, as it writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import new_consumer, new_producer, topic_partitions
from rtoanalytics_collectors.kafka.tailing import KafkaTail
from rtoanalytics_collectors.mirror import Checkpoints, OffsetSyncs, checkpoints_topic, offset_syncs_topic
from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Collector
    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

GROUP, TOPIC, RECORDS, SECONDS = "sink", "payments", 200, 120.0
COMMITTED = {0: 60, 1: 40}


@pytest.fixture(scope="module")
def clusters(needs_kafka: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, LabCluster]]:  # noqa: ARG001
    """A primary with records and committed offsets, mirrored to a recovery cluster, one broker each."""
    from tests.lab.harness.kafka import LabCluster  # noqa: PLC0415  (a client that is not installed is no lab)
    from tests.lab.harness.mirror import MirrorMaker  # noqa: PLC0415

    folder: Path = tmp_path_factory.mktemp("mirror")
    with (
        LabCluster("primary", folder / "primary", brokers=1) as primary,
        LabCluster("recovery", folder / "recovery", brokers=1) as recovery,
    ):
        primary.create_topic(TOPIC, partitions=2, replication=1)
        send(primary, RECORDS)
        commit(primary, COMMITTED)
        found = {"primary": primary, "recovery": recovery}
        with MirrorMaker(
            list(found.values()), [("primary", "recovery")], folder / "mirror", topics=TOPIC, groups=GROUP
        ) as mirror:
            mirror.wait_for_topic("recovery", f"primary.{TOPIC}")
            yield found


def send(cluster: LabCluster, records: int) -> None:
    """Produce records to both partitions in turn."""
    producer = new_producer({"bootstrap.servers": cluster.bootstrap_servers})
    for number in range(records):
        producer.produce(TOPIC, key=str(number), partition=number % 2)
    assert producer.flush(SECONDS) == 0


def commit(cluster: LabCluster, offsets: dict[int, int]) -> None:
    """Commit offsets for the group."""
    consumer = new_consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": GROUP})
    consumer.commit(offsets=topic_partitions(TOPIC, offsets), asynchronous=False)
    consumer.close()


def rows_until(
    collector: Collector, what: str, is_enough: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """Every row of the collector's looks, until there is what is waited for."""
    rows: list[dict[str, Any]] = []

    def is_there() -> bool:
        try:
            rows.extend(collector.collect()[collector.tables[0]])
        except TransientError:
            return False
        return bool(is_enough(rows))

    wait_until(what, is_there, SECONDS)
    return rows


def has_both(primary: LabCluster) -> Callable[[list[dict[str, Any]]], bool]:
    """Whether there are rows of both partitions; until then traffic goes on, for syncs are written as records pass."""

    def is_enough(found: list[dict[str, Any]]) -> bool:
        if {row["partition"] for row in found} == set(COMMITTED):
            return True
        send(primary, 2)
        return False

    return is_enough


class Moving:
    """The group as it goes on: MirrorMaker translates no commit from before the first sync that it read."""

    def __init__(self, primary: LabCluster) -> None:
        self._primary = primary
        self.at = RECORDS // len(COMMITTED)
        """Log end of every partition, and the newest commit of each once the group has moved."""
        self.committed = set(COMMITTED.items())
        """Every (partition, offset) that the group committed."""

    def on(self) -> None:
        """One more record in every partition, and the commit of all of them."""
        send(self._primary, len(COMMITTED))
        self.at += 1
        newest = dict.fromkeys(COMMITTED, self.at)
        commit(self._primary, newest)
        self.committed |= set(newest.items())

    def has_both(self, found: list[dict[str, Any]]) -> bool:
        """Whether there are rows of both partitions; until then the group moves on."""
        if {row["partition"] for row in found} == set(COMMITTED):
            return True
        self.on()
        return False


def test_checkpoints_are_what_mirrormaker_says(clusters: dict[str, LabCluster]) -> None:
    """A checkpoint a partition, on the target's topic name, never beyond what is committed; later ones as they come."""
    recovery = clusters["recovery"]
    tail = KafkaTail("recovery", recovery.bootstrap_servers, checkpoints_topic("primary"))
    collector = Checkpoints(tail, "primary", "recovery")
    group = Moving(clusters["primary"])
    rows = rows_until(collector, "checkpoints of both partitions", group.has_both)
    assert {(row["group_id"], row["topic"]) for row in rows} == {(GROUP, f"primary.{TOPIC}")}
    assert {(row["partition"], row["upstream_offset"]) for row in rows} <= group.committed
    for row in rows:
        assert 0 <= row["downstream_offset"] <= row["upstream_offset"]
    group.on()
    later = rows_until(
        collector,
        "checkpoints of the next commit",
        lambda found: {row["partition"] for row in found if row["upstream_offset"] == group.at} == set(COMMITTED),
    )
    assert min(row["emitted_at"] for row in later) > min(row["emitted_at"] for row in rows)
    assert collector.undecodable == 0
    again = Checkpoints(
        KafkaTail("recovery", recovery.bootstrap_servers, checkpoints_topic("primary")), "primary", "recovery"
    )
    in_force = rows_until(again, "the checkpoints in force", lambda found: len(found) >= len(COMMITTED))
    assert {row["emitted_at"] for row in in_force} == {min(row["emitted_at"] for row in in_force)}
    assert {row["upstream_offset"] for row in in_force} == {group.at}
    for used in (collector, again):
        used.close()


def test_offset_syncs_are_what_mirrormaker_says(clusters: dict[str, LabCluster]) -> None:
    """On the source, by the source's topic name: which offset of the mirror a record has."""
    primary = clusters["primary"]
    tail = KafkaTail("primary", primary.bootstrap_servers, offset_syncs_topic("recovery"))
    collector = OffsetSyncs(tail, "primary", "recovery")
    rows = rows_until(collector, "offset syncs of both partitions", has_both(primary))
    assert {(row["topic"], row["partition"]) for row in rows} == {(TOPIC, 0), (TOPIC, 1)}
    assert all(row["upstream_offset"] == row["downstream_offset"] for row in rows)
    assert all((row["source_cluster"], row["target_cluster"]) == ("primary", "recovery") for row in rows)
    assert collector.undecodable == 0
    collector.close()
