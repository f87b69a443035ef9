"""The active controller is killed with SIGKILL, and with it the broker in the same process."""

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

PLAN = Plan(
    drill_id="lab-controller-kill",
    title="Payments flow, loss of the active controller",
    kind="controller-kill",
    description="kill -9 of the node that is the active controller, and leads one partition of three",
    heal="start the node again on its own log",
    affected=("active controller",),
)
FLOW = Flow("controller-kill", producer_settings={"enable.idempotence": True})


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Kill whoever is the controller, wait until another one has taken its partitions away from it, restart."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        victim = cluster.controller()
        led = victim - 1  # the partition that it leads: first leaders go round
        drill.inject()
        cluster.kill(victim)
        drill.detect(
            "another controller has moved its partitions",
            lambda: cluster.controller() != victim and cluster.leader(FLOW.topic, led) not in {None, victim},
        )
        successor = cluster.controller()
        cluster.restart(victim)
        drill.healed()
        drill.recover()
        return drill.finish(victim=victim, successor=successor)


SCENARIO = Scenario("controller-kill", PLAN.title, conduct)
