"""The network to one broker becomes slow, in both directions, for every client."""

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
DELAY_SECONDS = 0.4
PLAN = Plan(
    drill_id="lab-network-delay",
    title="Payments flow, a slow network to one broker",
    kind="network-delay",
    description=f"{DELAY_SECONDS} s more in each direction between every client and broker {VICTIM}",
    heal="take the delay away",
    affected=(f"network to broker-{VICTIM}",),
)
FLOW = Flow("network-delay", is_proxied=True, producer_settings={"enable.idempotence": True})
SLOW_SECONDS = 4.0


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Delay, wait until payments pile up without an outcome, let it last, end it."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        cluster.delay(VICTIM, DELAY_SECONDS)
        waiting = traffic.records_per_second / FLOW.partitions * DELAY_SECONDS
        drill.detect("payments wait for their outcome", lambda: drill.outstanding() >= waiting)
        drill.run_for(SLOW_SECONDS)
        cluster.heal()
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("network-delay", PLAN.title, conduct)
