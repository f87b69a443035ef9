"""`__consumer_offsets` of real Kafka: our decoder agrees with Kafka's own, and the collector with what groups did."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from rtoanalytics_collectors.commits.choosing import choose
from rtoanalytics_collectors.commits.decoding import decode
from rtoanalytics_collectors.commits.offsets_topic import OffsetsTopic, partition_of
from rtoanalytics_collectors.commits.records import (
    Fact,
    GroupMetadata,
    OffsetCommit,
    Undecodable,
    assigned_partitions,
)
from rtoanalytics_collectors.failures import PartialLookError, TransientError
from rtoanalytics_collectors.kafka import KafkaCluster, client_errors, new_consumer, new_producer, topic_partitions
from rtoanalytics_collectors.kafka.client import admin_module
from rtoanalytics_collectors.kafka.tailing import KafkaTail
from rtoanalytics_collectors.partitions import TopicPartitions
from rtoanalytics_collectors.watermarks import Watermarks
from tests.lab.harness.jvm import java_command
from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rtoanalytics_collectors.kafka.client import Client
    from tests.lab.harness.kafka import LabCluster

    Rows = list[dict[str, Any]]

pytestmark = pytest.mark.xdist_group("lab")

SECONDS = 60.0
OFFSETS_TOPIC = "__consumer_offsets"
FORMATTERS = "org.apache.kafka.tools.consumer"


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """Names of a topic and of groups of this module's own."""
    tag = uuid4().hex[:8]
    return {kind: f"{kind}-{tag}" for kind in ("pay", "classic", "modern", "transactional", "doomed", "manual")}


@pytest.fixture
def kafka(lab_cluster: LabCluster, names: dict[str, str]) -> Iterator[KafkaCluster]:
    """The cluster, with thirty records on each of three partitions of the topic."""
    cluster = KafkaCluster("primary", lab_cluster.bootstrap_servers)
    if not cluster.metadata([names["pay"]]).partitions:
        lab_cluster.create_topic(names["pay"])
        producer = new_producer({"bootstrap.servers": lab_cluster.bootstrap_servers})
        for number in range(90):
            producer.produce(names["pay"], value=b"v", partition=number % 3)
        assert producer.flush(SECONDS) == 0
    yield cluster
    cluster.close()


def consumer(cluster: LabCluster, group: str, **settings: str) -> Client:
    """A consumer that commits when it is told to."""
    return new_consumer(
        {
            "bootstrap.servers": cluster.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            **settings,
        }
    )


def join(member: Client, topic: str) -> None:
    """Subscribe, and poll until all three partitions are assigned."""
    member.subscribe([topic])

    def is_assigned() -> bool:
        member.poll(0.1)
        return len(member.assignment()) == 3

    wait_until("the consumer to get its partitions", is_assigned, SECONDS)


def commit(member: Client, topic: str, *offsets: int) -> None:
    """Commit offsets of partition 0, one after the other."""
    for offset in offsets:
        member.commit(offsets=topic_partitions(topic, {0: offset}), asynchronous=False)


def look(collector: OffsetsTopic) -> dict[str, Rows]:
    """The first look that has everything, with the rows of those before it."""
    found: dict[str, Rows] = {table: [] for table in collector.tables}

    def is_complete() -> bool:
        sample: dict[str, Rows] = {}
        try:
            sample = collector.collect()
        except PartialLookError as partial:
            sample = dict(partial.sample)
            return False
        except TransientError:
            return False
        finally:
            for table, rows in sample.items():
                found[table].extend(rows)
        return True

    wait_until("a look that has everything", is_complete, SECONDS)
    return found


def offsets(rows: Rows) -> list[int]:
    """The committed offsets of partition 0, in the order of the rows."""
    return [row["committed_offset"] for row in rows if row["partition"] == 0]


@pytest.mark.parametrize(("kind", "settings"), [("classic", {}), ("modern", {"group.protocol": "consumer"})])
def test_every_commit_of_a_group_is_captured(
    lab_cluster: LabCluster, kafka: KafkaCluster, names: dict[str, str], kind: str, settings: dict[str, str]
) -> None:
    """Classic groups and those whose coordinator assigns: every commit, rewinds too, its instant, and the states."""
    group, topic = names[kind], names["pay"]
    chosen = choose(kafka, group, TopicPartitions(kafka, [topic]))
    assert isinstance(chosen, OffsetsTopic)
    assert look(chosen)["commits"] == []
    member = consumer(lab_cluster, group, **settings)
    join(member, topic)
    before_us = time.time_ns() // 1000
    commit(member, topic, 5, 12, 3, 8)
    after_us = time.time_ns() // 1000
    sample = look(chosen)
    assert offsets(sample["commits"]) == [5, 12, 3, 8]
    assert all(before_us - 1_000 <= row["committed_at"] <= after_us for row in sample["commits"])
    assert [row["commit_seq"] for row in sample["commits"]] == sorted({row["commit_seq"] for row in sample["commits"]})
    assert (sample["group_states"][-1]["state"], sample["group_states"][-1]["members"]) == ("Stable", 1)
    member.close()
    wait_until("the group to be empty", lambda: "Empty" in {r["state"] for r in look(chosen)["group_states"]}, SECONDS)
    begun_later = OffsetsTopic(kafka, group)
    assert offsets(look(begun_later)["commits"]) == [8]
    for collector in (chosen, begun_later):
        assert collector.undecodable == 0
        collector.close()


def test_commits_of_transactions_appear_with_their_end(
    lab_cluster: LabCluster, kafka: KafkaCluster, names: dict[str, str]
) -> None:
    """Committed transactions commit, aborted ones do not, and an open one is not vouched over."""
    group, topic = names["transactional"], names["pay"]
    collector = OffsetsTopic(kafka, group)
    look(collector)
    member = consumer(lab_cluster, group)
    join(member, topic)
    producer = new_producer({"bootstrap.servers": lab_cluster.bootstrap_servers, "transactional.id": group})
    producer.init_transactions(SECONDS)

    def send(offset: int) -> None:
        producer.begin_transaction()
        place = topic_partitions(topic, {0: offset})
        producer.send_offsets_to_transaction(place, member.consumer_group_metadata(), SECONDS)

    send(7)
    with pytest.raises(PartialLookError, match="open transaction"):
        collector.collect()
    producer.commit_transaction(SECONDS)
    assert offsets(look(collector)["commits"]) == [7]
    send(20)
    producer.abort_transaction(SECONDS)
    send(15)
    producer.commit_transaction(SECONDS)
    assert offsets(look(collector)["commits"]) == [15]
    member.close()
    collector.close()


def test_removed_commits_are_events(lab_cluster: LabCluster, kafka: KafkaCluster, names: dict[str, str]) -> None:
    """A manual commit is noted; an offset that is deleted, and a group that is deleted, are told apart."""
    group, topic = names["doomed"], names["pay"]
    collector = OffsetsTopic(kafka, group)
    look(collector)
    outsider = consumer(lab_cluster, group)
    outsider.assign(topic_partitions(topic, {0: 0, 1: 0}))
    outsider.commit(offsets=topic_partitions(topic, {0: 4, 1: 6}), asynchronous=False)
    outsider.close()
    assert ["external commit" in event["text"] for event in look(collector)["events"]] == [True]
    command = f"{FORMATTERS}.group.ConsumerGroupCommand"
    arguments = ("--delete-offsets", "--group", group, "--topic", f"{topic}:0")
    kafka_tool(command, lab_cluster, *arguments)
    [event] = look(collector)["events"]
    assert (event["kind"], "the group is still there" in event["text"]) == ("commit_removed", True)
    assert f"{topic}-0" in event["text"]
    admin = admin_module().AdminClient({"bootstrap.servers": lab_cluster.bootstrap_servers})
    admin.delete_consumer_groups([group])[group].result(SECONDS)
    sample = look(collector)
    assert [(e["kind"], f"{topic}-1 removed: the group was deleted" in e["text"]) for e in sample["events"]] == [
        ("commit_removed", True)
    ]
    assert sample["group_states"][-1]["state"] == "Dead"
    assert sample["commits"] == []
    collector.close()


def test_decoder_agrees_with_kafkas_own(lab_cluster: LabCluster, kafka: KafkaCluster, names: dict[str, str]) -> None:
    """Every commit and every generation of this module's groups: what Kafka's formatters print is what we decode.

    The rest of the topic can be decoded too, and stands in the partition that we expect it in.
    """
    member = consumer(lab_cluster, names["manual"])
    join(member, names["pay"])
    commit(member, names["pay"], 1, 2)
    member.close()
    tail = KafkaTail("primary", lab_cluster.bootstrap_servers, OFFSETS_TOPIC, look_seconds=5.0)
    drain = tail.drain()
    tail.close()
    assert drain.is_caught_up
    partitions = len(kafka.metadata([OFFSETS_TOPIC]).partitions)
    facts: list[Fact] = []
    for record in drain.records:
        fact = decode(record.key, record.value)
        assert not isinstance(fact, Undecodable)
        assert record.partition == partition_of(fact.group_id, partitions)
        facts += [fact] if fact.group_id in names.values() else []
    commits = [fact for fact in facts if isinstance(fact, OffsetCommit)]
    assert len(commits) >= 2
    assert sorted(_as_printed(fact) for fact in commits) == sorted(printed_commits(lab_cluster, set(names.values())))
    groups = [fact for fact in facts if isinstance(fact, GroupMetadata)]
    found = sorted((g.group_id, g.generation, len(g.members)) for g in groups)
    assert found == sorted(printed_groups(lab_cluster, set(names.values())))
    [assigned] = [assigned_partitions(m.assignment) for g in groups if g.group_id == names["manual"] for m in g.members]
    assert assigned == {names["pay"]: (0, 1, 2)}


def _as_printed(fact: OffsetCommit) -> tuple[Any, ...]:
    epoch = -1 if fact.leader_epoch is None else fact.leader_epoch
    return (fact.group_id, fact.topic, fact.partition, fact.committed_offset, epoch, fact.commit_timestamp_ms)


def printed_commits(cluster: LabCluster, groups: set[str]) -> Iterator[tuple[Any, ...]]:
    """The commits of some groups that Kafka's own formatter prints."""
    for key, value in printed(cluster, "OffsetsMessageFormatter", groups):
        place = (key["group"], key["topic"], key["partition"])
        yield (*place, value["offset"], value.get("leaderEpoch", -1), value["commitTimestamp"])


def printed_groups(cluster: LabCluster, groups: set[str]) -> Iterator[tuple[Any, ...]]:
    """Group, generation and number of members that Kafka's own formatter prints."""
    for key, value in printed(cluster, "GroupMetadataMessageFormatter", groups):
        yield (key["group"], value["generation"], len(value["members"]))


def printed(cluster: LabCluster, formatter: str, groups: set[str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Keys and values of some groups as a formatter of Kafka's prints them, tombstones left out."""
    arguments = ("--topic", OFFSETS_TOPIC, "--from-beginning", "--isolation-level", "read_committed")
    how = ("--formatter", f"{FORMATTERS}.{formatter}", "--timeout-ms", "4000")
    text = kafka_tool(f"{FORMATTERS}.ConsoleConsumer", cluster, *arguments, *how).strip()
    while text:  # one object behind the other, without a line between them
        record, end = json.JSONDecoder().raw_decode(text)
        text = text[end:].lstrip()
        if record["value"] is not None and record["key"]["data"]["group"] in groups:
            yield record["key"]["data"], record["value"]["data"]


def kafka_tool(main: str, cluster: LabCluster, *arguments: str) -> str:
    """What a tool of Kafka's prints."""
    command = java_command(main, "--bootstrap-server", cluster.bootstrap_servers, *arguments, heap_megabytes=128)
    answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:] + answer.stdout[-2000:]
    return answer.stdout


def test_no_commit_is_lost_with_the_coordinator(
    lab_cluster: LabCluster, kafka: KafkaCluster, names: dict[str, str]
) -> None:
    """The coordinator is killed while a group commits, and the collector is replaced: every commit is captured once.

    What the broker acknowledged is what the two collectors have together, in order; commits without an answer may be
    there as well.
    """
    group, topic = f"{names['classic']}-killed", names["pay"]
    first, second = OffsetsTopic(kafka, group), OffsetsTopic(kafka, group)
    look(first)
    outsider = consumer(lab_cluster, group)
    outsider.assign(topic_partitions(topic, {0: 0}))
    acknowledged: list[int] = []

    def committed(*numbers: int) -> None:
        for number in numbers:
            with suppress(client_errors()):
                commit(outsider, topic, number)
                acknowledged.append(number)

    committed(*range(20))
    captured = look(first)["commits"]
    partitions = len(kafka.metadata([OFFSETS_TOPIC]).partitions)
    coordinator = lab_cluster.leader(OFFSETS_TOPIC, partition_of(group, partitions))
    assert coordinator is not None
    lab_cluster.kill(coordinator)
    committed(*range(20, 40))
    first.close()
    second.resume(captured)
    after = look(second)["commits"]
    lab_cluster.restart(coordinator)
    outsider.close()
    second.close()
    found = offsets([*captured, *after])
    assert len(acknowledged) > 20
    assert [offset for offset in found if offset in acknowledged] == acknowledged
    assert len({row["commit_seq"] for row in [*captured, *after]}) == len(found)


def test_look_goes_on_through_the_loss_of_any_broker(lab_cluster: LabCluster, kafka: KafkaCluster) -> None:
    """One of three brokers is killed: partitions led by others are seen at every look, each within its time.

    Their longest silence stays below a hole of the interval (three times half a second), and the killed leader's
    partition is seen again under another leader.
    """
    topic = lab_cluster.create_topic(f"silenced-{uuid4().hex[:8]}")
    collector = Watermarks(kafka, TopicPartitions(kafka, [topic]))
    silenced = next(p for p in range(3) if lab_cluster.leader(topic, p) == 3)
    collector.collect()
    seen = {partition: [time.monotonic()] for partition in range(3)}
    looks: list[float] = []

    def tick() -> None:
        began = time.monotonic()
        try:
            for row in collector.collect()["watermarks"]:
                seen[row["partition"]].append(time.monotonic())
        except TransientError:
            pass
        looks.append(time.monotonic() - began)

    lab_cluster.kill(3)
    killed_at = time.monotonic()
    wait_until(
        "the silenced partition to answer again", _ticking(tick, lambda: seen[silenced][-1] > killed_at), SECONDS
    )
    gaps = {p: max(b - a for a, b in pairwise(at)) for p, at in seen.items()}
    assert max(looks) < 1.5
    assert all(gap < 2.5 for partition, gap in gaps.items() if partition != silenced), gaps
    lab_cluster.restart(3)


def _ticking(tick: Callable[[], None], is_done: Callable[[], bool]) -> Callable[[], bool]:
    def ticked() -> bool:
        tick()
        return is_done()

    return ticked
