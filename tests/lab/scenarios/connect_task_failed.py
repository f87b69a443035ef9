"""A connector's task fails, because the database refuses its rows; it is restarted when the database is repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.scenarios.connect_drill import DATABASE, ConnectDrill, ConnectFlow
from tests.lab.scenarios.definition import Plan
from tests.lab.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster
    from tests.lab.scenarios.flow import Traffic
    from tests.lab.scenarios.truth import Truth

PLAN = Plan(
    drill_id="lab-connect-task-failed",
    title="Payments flow, the connector's task fails",
    kind="downstream-refusal",
    description="a constraint is added that refuses every payment",
    heal="drop the constraint and restart the connector's task",
    affected=("payments-db",),
    untouched=("broker-1", "broker-2", "broker-3"),
)
FLOW = ConnectFlow("task-failed", producer_settings={"enable.idempotence": True})
_REFUSE = "alter table payments add constraint closed check (false) not valid"
_ACCEPT = "alter table payments drop constraint closed"


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Refuse, see the task fail, accept, restart."""
    with ConnectDrill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        drill.inject()
        drill.postgres.execute(_REFUSE, DATABASE)
        drill.detect("the connector's task is FAILED", lambda: "FAILED" in drill.worker.states(FLOW.connector))
        drill.run_for(2)
        drill.postgres.execute(_ACCEPT, DATABASE)
        drill.worker.restart(FLOW.connector)
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("connect-task-failed", PLAN.title, conduct)
