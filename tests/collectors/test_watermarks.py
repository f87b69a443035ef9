"""Watermarks, partitions and brokers: the list of partitions grows with the topic, and nothing is made up."""

from __future__ import annotations

import pytest

from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka.fake import FakeCluster
from rtoanalytics_collectors.partitions import Partitions, TopicPartitions
from rtoanalytics_collectors.watermarks import Watermarks


class RacklessCluster(FakeCluster):
    """A cluster that does not describe itself."""

    def racks(self) -> dict[int, str]:
        self.isolations.append("asked")
        msg = "no answer"
        raise TransientError(msg)


def test_partition_that_is_added_is_seen() -> None:
    """Partitions are asked for again after a short time; a look in between uses the list that is known."""
    cluster = FakeCluster(logs={("t", 0): []}, committed={"g": {("t", 1): 3}})
    instants = iter([0.0, 1.0, 2.5, 2.5, 3.0])
    partitions = TopicPartitions(cluster, ["t"], lambda: next(instants))
    watermarks, commits = Watermarks(cluster, partitions), Commits(cluster, "g", partitions)
    assert [row["partition"] for row in watermarks.collect()["watermarks"]] == [0]
    cluster.logs["t", 1] = []
    assert [row["partition"] for row in watermarks.collect()["watermarks"]] == [0]
    assert [row["partition"] for row in watermarks.collect()["watermarks"]] == [0, 1]
    assert [row["partition"] for row in commits.collect()["commits"]] == [1]


def test_topic_that_is_not_there_yet_is_waited_for() -> None:
    """A look at a topic that nobody has created could not be made; one that is created later is seen at once."""
    cluster = FakeCluster()
    watermarks = Watermarks(cluster, TopicPartitions(cluster, ["t"], lambda: 0.0))
    with pytest.raises(TransientError, match="t is not there"):
        watermarks.collect()
    cluster.logs["t", 0] = []
    [row] = watermarks.collect()["watermarks"]
    assert (row["log_start_offset"], row["log_end_offset"], row["last_stable_offset"]) == (0, 0, 0)


def test_list_of_partitions_outlives_an_outage() -> None:
    """While no broker answers, the partitions are those that were known."""
    cluster = FakeCluster(logs={("t", 0): []})
    instants = iter([0.0, 9.0])
    partitions = TopicPartitions(cluster, ["t"], lambda: next(instants))
    assert partitions() == (("t", 0),)
    cluster.is_down = True
    assert partitions() == (("t", 0),)


def test_racks_are_learned_once() -> None:
    """Each broker's rack is in its row; the cluster is not asked again while no broker is new."""
    cluster = FakeCluster(logs={("t", 0): []}, rack_of={1: "a"})
    states = Partitions(cluster, ["t"])
    assert [row["rack"] for row in states.collect()["broker_states"]] == ["a"]
    cluster.rack_of = {2: "b"}
    cluster.brokers[2] = "127.0.0.1:9093"
    states._racks_after = 0.0
    assert [row["rack"] for row in states.collect()["broker_states"]] == ["a", "b"]


def test_racks_that_are_not_told_are_not_known() -> None:
    """A cluster that does not describe itself is not asked at every look."""
    cluster = RacklessCluster(logs={("t", 0): []})
    states = Partitions(cluster, ["t"], monotonic=lambda: 0.0)
    assert [states.collect()["broker_states"][0]["rack"] for _ in range(2)] == [None, None]
    assert cluster.isolations == ["asked"]
