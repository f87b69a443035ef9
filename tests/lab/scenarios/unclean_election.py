"""An unclean leader election truncates a log: acknowledged records are lost, others stand at their offsets.

The topic trades safety for availability (acks=1, one replica in sync is enough, unclean elections allowed). The
follower falls behind, the leader dies with what only it had, and the follower becomes leader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.scenarios.conduct import Drill
from tests.lab.scenarios.definition import Plan
from tests.lab.scenarios.flow import Flow, Traffic
from tests.lab.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster
    from tests.lab.scenarios.truth import Truth

LEADER, FOLLOWER = 1, 2
PLAN = Plan(
    drill_id="lab-unclean-election",
    title="Payments flow, unclean leader election",
    kind="unclean-election",
    description=f"kill -9 of broker {LEADER} while broker {FOLLOWER}, the only other replica, is out of sync",
    heal=f"start broker {LEADER} again: it truncates its log to that of broker {FOLLOWER}",
    affected=(f"broker-{LEADER}", f"broker-{FOLLOWER}"),
)
FLOW = Flow(
    "unclean-election",
    partitions=1,
    replication=2,
    topic_settings={"min_insync_replicas": 1, "unclean_leader_election_enable": True},
    producer_settings={"acks": "1", "enable.idempotence": False},
)
ALONE_SECONDS = 1.5
"""How long the leader takes records alone while the sink applies them, and how long while it does not."""


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Leave the leader alone with new records, kill it, let the follower lead, let the old leader come back."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        cluster.pause(FOLLOWER)
        drill.until("the leader to be alone", lambda: cluster.in_sync(FLOW.topic, 0) == {LEADER}, 60)
        drill.run_for(ALONE_SECONDS)
        drill.sink.pause()
        drill.run_for(ALONE_SECONDS)
        cluster.kill(LEADER)
        superseded = drill.dump(LEADER)
        cluster.resume(FOLLOWER)
        drill.detect("the follower leads", lambda: cluster.leader(FLOW.topic, 0) == FOLLOWER)
        taken = drill.produced["outcomes"]["acked"] + int(traffic.records_per_second * ALONE_SECONDS)
        drill.until("new records", lambda: drill.produced["outcomes"]["acked"] >= taken, 60)
        drill.sink.resume()
        cluster.restart(LEADER)
        drill.healed()
        drill.recover()
        return drill.finish(superseded=superseded)


SCENARIO = Scenario("unclean-election", PLAN.title, conduct)
