"""The sink is killed with SIGKILL between apply and commit, and its replacement applies the rest again."""

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

CAUGHT_RECORDS = 120
PLAN = Plan(
    drill_id="lab-consumer-crash",
    title="Payments flow, crash of a sink that is not idempotent",
    kind="consumer-crash",
    description=f"SIGKILL of the sink with at least {CAUGHT_RECORDS} payments applied and not committed",
    heal="start another sink in the same group",
    affected=("payments-sink",),
)
FLOW = Flow("consumer-crash", producer_settings={"enable.idempotence": True})


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Let the sink die with payments in hand, start another one, recover."""
    with Drill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        drill.crash_sink(CAUGHT_RECORDS)
        drill.detect("the sink has ended", lambda: not drill.sink.is_running)
        drill.start_sink()
        drill.healed()
        drill.recover()
        return drill.finish(caught=CAUGHT_RECORDS)


SCENARIO = Scenario("consumer-crash", PLAN.title, conduct)
