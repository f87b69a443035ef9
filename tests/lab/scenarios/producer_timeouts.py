"""A leader hangs longer than the producer waits: outcomes stay open, and some of those records are in the log."""

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
    drill_id="lab-producer-timeouts",
    title="Payments flow, a leader that hangs longer than the producer waits",
    kind="broker-pause",
    description=f"SIGSTOP of broker {VICTIM}, which leads the only partition, beyond the delivery timeout",
    heal=f"SIGCONT of broker {VICTIM}",
    affected=(f"broker-{VICTIM}",),
)
FLOW = Flow(
    "producer-timeouts",
    partitions=1,
    producer_settings={"enable.idempotence": False, "delivery.timeout.ms": 1_000, "linger.ms": 5},
)
MIN_UNSETTLED = 50


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Freeze the leader until deliveries have timed out, and let it go on before it is replaced, if the host lets us.

    What it had in its socket buffers it appends then: those records are in the log, though nobody was told.
    """
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        cluster.pause(VICTIM)
        drill.detect("deliveries time out", lambda: drill.produced["outcomes"].get("indeterminate", 0) >= MIN_UNSETTLED)
        cluster.resume(VICTIM)
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("producer-timeouts", PLAN.title, conduct)
