"""Effects in an output topic of a real cluster: committed ones, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics_collectors.applied.topic import TopicApplied
from rtoanalytics_collectors.kafka import new_producer
from rtoanalytics_collectors.kafka.tailing import KafkaTail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

SOURCE = {"topic": "src-topic", "partition": "src-partition", "record_offset": "src-offset"}


def enrich(cluster: LabCluster, topic: str, offsets: range, *, is_committed: bool) -> None:
    """Write one effect for each source offset, in one transaction."""
    producer = new_producer({"bootstrap.servers": cluster.bootstrap_servers, "transactional.id": topic})
    producer.init_transactions()
    producer.begin_transaction()
    for offset in offsets:
        headers: list[tuple[str, str | bytes | None]] = [
            ("src-topic", b"payments"),
            ("src-partition", b"1"),
            ("src-offset", str(offset).encode()),
        ]
        producer.produce(topic, value=b"v", headers=headers, partition=offset % 2)
    producer.flush()
    if is_committed:
        producer.commit_transaction()
    else:
        producer.abort_transaction()


def test_only_committed_effects_count_and_a_new_process_goes_on(lab_cluster: LabCluster) -> None:
    """An aborted transaction has no effects; a capture that is resumed reads what came since, from every partition."""
    topic = lab_cluster.create_topic("payments-enriched", partitions=2, message_timestamp_type="LogAppendTime")

    def follow(next_offsets: Mapping[int, int] | None) -> KafkaTail:
        start = "beginning" if next_offsets is None else next_offsets
        return KafkaTail("primary", lab_cluster.bootstrap_servers, topic, start=start, look_seconds=20.0)

    def look(captured: list[dict[str, object]]) -> list[dict[str, object]]:
        applied = TopicApplied("enriched", follow, SOURCE, constants={"cluster": "primary"})
        applied.resume(captured)
        rows = applied.collect()["applied"]
        applied.close()
        assert applied.timestamp_types <= {"LogAppendTime"}
        return rows

    enrich(lab_cluster, topic, range(10), is_committed=True)
    enrich(lab_cluster, topic, range(10, 20), is_committed=False)
    first = look([])
    assert sorted(row["record_offset"] for row in first) == list(range(10))  # type: ignore[type-var]
    assert {(row["topic"], row["partition"]) for row in first} == {("payments", 1)}
    enrich(lab_cluster, topic, range(20, 25), is_committed=True)
    assert sorted(row["record_offset"] for row in look(first)) == list(range(20, 25))  # type: ignore[type-var]
    assert len({row["application_id"] for row in first}) == 10
