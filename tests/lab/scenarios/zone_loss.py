"""A zone is lost: one broker and the payments sink that runs beside it. Nothing comes back before somebody acts.

The brokers that are left elect new leaders by themselves within seconds. The sink does not restart by itself: how long
the business waits is how long people need to see it and to decide. Who applies what the dead sink had applied and not
committed depends on the sink: one that is not idempotent applies it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.scenarios import definition
from tests.lab.scenarios.conduct import Drill
from tests.lab.scenarios.definition import Plan
from tests.lab.scenarios.flow import Flow, Traffic
from tests.lab.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.lab.harness.kafka import LabCluster
    from tests.lab.scenarios.truth import Truth

ZONE = 2
CAUGHT_RECORDS = 60
TITLE = "Payments flow, loss of one zone"


@dataclass(frozen=True)
class Readiness:
    """How ready the team and the application are."""

    detect_seconds: float = 3.0
    """From the fault until somebody has seen it."""
    decide_seconds: float = 1.0
    """From there until somebody has decided to start the sink elsewhere."""
    is_idempotent: bool = True
    """Whether the sink leaves out what was applied before."""


def zone_loss(
    readiness: Readiness, drill_id: str = "lab-zone-loss", amend: Callable[[dict[str, Any]], None] | None = None
) -> Callable[[LabCluster, Path, Traffic], Truth]:
    """The drill of a team as ready as that."""
    plan = Plan(
        drill_id=drill_id,
        title=TITLE,
        kind="zone-loss",
        description=f"kill -9 of broker {ZONE}, and of the payments sink that runs in the same zone",
        heal="start the broker again on its own log",
        affected=(f"broker-{ZONE}", "payments-sink"),
        amend=_amendment(amend),
    )
    flow = Flow("zone-loss", producer_settings={"enable.idempotence": True}, is_idempotent=readiness.is_idempotent)

    def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
        with Drill(cluster, bundle, plan, flow, traffic) as drill:
            drill.begin()
            drill.inject()
            cluster.kill(ZONE)
            drill.crash_sink(CAUGHT_RECORDS)
            drill.run_for(readiness.detect_seconds)
            drill.detect("the sink has ended", lambda: not drill.sink.is_running)
            drill.run_for(readiness.decide_seconds)
            drill.mark("decide", definition.COMMANDER, "decided: start the sink in another zone")
            drill.start_sink()
            drill.mark("switch", definition.OPERATOR, "the sink starts in another zone")
            cluster.restart(ZONE)
            drill.healed()
            drill.recover()
            return drill.finish(caught=CAUGHT_RECORDS)

    return conduct


def _amendment(more: Callable[[dict[str, Any]], None] | None) -> Callable[[dict[str, Any]], None]:
    def amend(document: dict[str, Any]) -> None:
        document["platform"]["name"] = "kafka-4.3-three-zones"
        document["runbook"][2:2] = [
            _step("decide", definition.COMMANDER, "decide to start the sink in another zone"),
            _step("switch", definition.OPERATOR, "start the sink in another zone"),
        ]
        if more is not None:
            more(document)

    return amend


def _step(step: str, actor: str, action: str) -> dict[str, Any]:
    return {"step": step, "at_minute": 0, "actor": actor, "action": action, "event": step, "tolerance_seconds": 30}


SCENARIO = Scenario("zone-loss", TITLE, zone_loss(Readiness()))
