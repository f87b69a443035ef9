"""A broker is killed with SIGKILL while it leads a third of the partitions, and comes back on its own log."""

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

VICTIM = 2
PLAN = Plan(
    drill_id="lab-broker-kill",
    title="Payments flow, loss of one broker",
    kind="broker-kill",
    description=f"kill -9 of broker {VICTIM}, which leads one partition of three",
    heal=f"start broker {VICTIM} again on its own log",
    affected=(f"broker-{VICTIM}",),
)
FLOW = Flow("broker-kill", producer_settings={"enable.idempotence": True})


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Kill, wait until somebody else leads, restart, recover."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        cluster.kill(VICTIM)
        drill.detect("another broker leads its partitions", lambda: cluster.leader(FLOW.topic, 1) not in {None, VICTIM})
        cluster.restart(VICTIM)
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("broker-kill", PLAN.title, conduct)
