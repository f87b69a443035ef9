"""A flow moves to another cluster through MirrorMaker 2 when all brokers of its own are killed, and moves back.

Topics carry the name of the cluster they were mirrored from, so that on either side the flow is two topics: what was
produced here and what was mirrored. Translated offsets are deliberately low: whoever takes over applies some records
again, and how many is counted in the sink's own table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.harness.processes import wait_until
from tests.lab.scenarios import definition
from tests.lab.scenarios import flow as names
from tests.lab.scenarios.conduct import RECOVER_SECONDS
from tests.lab.scenarios.definition import Plan
from tests.lab.scenarios.flow import Flow
from tests.lab.scenarios.mirror_conduct import RECOVERY, MirrorDrill, Mirroring, MirrorTruth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster
    from tests.lab.scenarios.flow import Traffic
    from tests.lab.scenarios.mirror_flow import Producer, Sink

FLOW = Flow("failover", replication=1)
PLAN = Plan(
    drill_id="lab-mirror-failover",
    title="Payments flow, failover to the recovery cluster and back",
    kind="cluster-loss",
    description="kill -9 of every broker of the primary cluster",
    heal="start the brokers of the primary cluster again on their own logs",
    affected=(names.CLUSTER,),
    untouched=(RECOVERY, names.DOWNSTREAM),
)
HERE, MIRRORED = FLOW.topic, f"{names.CLUSTER}.{FLOW.topic}"
"""The topic of the flow on either side, and what the recovery side has of the primary's."""
MIRRORED_BACK = f"{RECOVERY}.{FLOW.topic}"
"""What the primary side has of the recovery side's."""
MIRRORING = Mirroring(
    ways=((names.CLUSTER, RECOVERY), (RECOVERY, names.CLUSTER)),
    topic_names={names.CLUSTER: (HERE, MIRRORED_BACK), RECOVERY: (HERE, MIRRORED)},
)
_OUTSTANDING = 50


def conduct(primary: LabCluster, bundle: Path, traffic: Traffic) -> MirrorTruth:
    """Kill the primary, switch, recover, return, recover; `primary` runs and is whole again afterwards."""
    with MirrorDrill(primary, bundle, PLAN, FLOW, MIRRORING, traffic) as drill:
        producer, sink = drill.begin()
        _lose_primary(drill, producer)
        producer.abandon()
        sink.kill()
        before_switch = len(drill.applied())
        drill.mark("switch", definition.OPERATOR, "producers and the sink use the recovery cluster")
        second, sinks = drill.run_on(drill.recovery, "recovery-")
        drill.recovered(second, sinks, "payments take effect on the recovery side")
        primary.repair()
        drill.mark("heal", definition.OPERATOR, PLAN.heal)
        _leave_recovery(drill, second, sinks)
        third, sinks = drill.run_on(drill.primary, "returned-")
        drill.recovered(third, sinks, "payments take effect on the primary side again")
        drill.stand_down(third, sinks)
        return drill.conclude([producer, second, third], before_switch)


def _lose_primary(drill: MirrorDrill, producer: Producer) -> None:
    drill.mark("inject", "drill conductor", PLAN.description)
    for broker_id in drill.primary.cluster.brokers:
        drill.primary.cluster.kill(broker_id)
    wait_until("records without an outcome", lambda: producer.outstanding > _OUTSTANDING, RECOVER_SECONDS)
    drill.mark("detect", definition.MONITOR, "nothing is acknowledged")
    drill.mark("declare", definition.COMMANDER, f"declared: {PLAN.title}")


def _leave_recovery(drill: MirrorDrill, producer: Producer, sinks: list[Sink]) -> None:
    """End the work on the recovery side and wait until the primary side has all of it."""
    producer.stop()
    for sink in sinks:
        sink.stop()
    drill.wait_mirrored(drill.recovery, drill.primary, MIRRORED_BACK)
    drill.wait_translated(drill.primary, MIRRORED_BACK)
    drill.mark("rollback", definition.COMMANDER, "producers and the sink return to the primary cluster")
