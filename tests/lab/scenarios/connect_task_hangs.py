"""A connector's task hangs while its state is RUNNING: somebody holds a lock on the table that it writes."""

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
    drill_id="lab-connect-task-hangs",
    title="Payments flow, the connector hangs while RUNNING",
    kind="downstream-lock",
    description="a session locks the payments table and keeps the lock",
    heal="end the session that holds the lock",
    affected=("payments-db",),
    untouched=("broker-1", "broker-2", "broker-3"),
)
FLOW = ConnectFlow("task-hangs", producer_settings={"enable.idempotence": True})
_SECONDS_OF_BACKLOG = 5
_TWO_LOOKS_SECONDS = 1.5
"""A commit made just before the lock is in the evidence after this long."""


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Lock, see the backlog grow behind a task that is RUNNING, unlock."""
    with ConnectDrill(cluster, bundle, PLAN, FLOW, traffic) as drill:
        drill.begin()
        backlog = int(traffic.records_per_second * _SECONDS_OF_BACKLOG)

        def hangs() -> bool:
            return drill.uncommitted() > backlog and set(drill.worker.states(FLOW.connector)) == {"RUNNING"}

        with drill.postgres.connect(DATABASE, autocommit=False) as session, session.cursor() as cursor:
            cursor.execute("lock table payments in access exclusive mode")
            drill.wait_for_standstill(
                _TWO_LOOKS_SECONDS
            )  # so that no commit before the lock is taken for progress after
            drill.inject()
            drill.detect("the backlog grows although the connector's task is RUNNING", hangs)
            session.rollback()
        drill.healed()
        drill.recover()
        return drill.finish()


SCENARIO = Scenario("connect-task-hangs", PLAN.title, conduct)
