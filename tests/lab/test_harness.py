"""The lab itself: what it does to a cluster is what the cluster then shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.harness.processes import wait_until

if TYPE_CHECKING:
    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

SECONDS = 60.0


def test_a_killed_leader_is_replaced_and_comes_back(lab_cluster: LabCluster) -> None:
    """Killed, a broker is no longer leader nor in sync; restarted, it is in sync again."""
    topic = lab_cluster.create_topic("harness-kill", partitions=1)
    leader = lab_cluster.leader(topic, 0)
    assert leader == 1
    lab_cluster.kill(leader)
    wait_until("another leader", lambda: lab_cluster.leader(topic, 0) not in {None, leader}, SECONDS)
    assert leader not in lab_cluster.in_sync(topic, 0)
    lab_cluster.restart(leader)
    wait_until("it to be in sync", lambda: lab_cluster.in_sync(topic, 0) == {1, 2, 3}, SECONDS)
