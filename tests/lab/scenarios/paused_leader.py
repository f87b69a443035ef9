"""A broker is frozen with SIGSTOP: its connections stay open and answer nothing, until others take over."""

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
    drill_id="lab-paused-leader",
    title="Payments flow, a broker that hangs",
    kind="broker-pause",
    description=f"SIGSTOP of broker {VICTIM}, which leads one partition of three",
    heal=f"SIGCONT of broker {VICTIM}",
    affected=(f"broker-{VICTIM}",),
)
FLOW = Flow("paused-leader", producer_settings={"enable.idempotence": True})


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Freeze it until it has been replaced, then let it go on, still believing that it leads."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        cluster.pause(VICTIM)
        drill.detect("another broker leads its partitions", lambda: cluster.leader(FLOW.topic, 0) not in {None, VICTIM})
        cluster.resume(VICTIM)
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("paused-leader", PLAN.title, conduct)
