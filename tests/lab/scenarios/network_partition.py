"""One broker is cut off from clients, brokers and controllers, and is let back in."""

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

VICTIM = 1
PLAN = Plan(
    drill_id="lab-network-partition",
    title="Payments flow, one broker cut off from everybody",
    kind="network-partition",
    description=f"no packet passes to or from broker {VICTIM}, which leads one partition of three",
    heal="let packets pass again",
    affected=(f"network of broker-{VICTIM}",),
)
FLOW = Flow("network-partition", is_proxied=True, producer_settings={"enable.idempotence": True})


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Cut it off until others lead its partitions, heal, and let it find out that it no longer does."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        cluster.partition(VICTIM)
        drill.detect("another broker leads its partitions", lambda: cluster.leader(FLOW.topic, 0) not in {None, VICTIM})
        cluster.heal()
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("network-partition", PLAN.title, conduct, has_proxied_peers=True)
