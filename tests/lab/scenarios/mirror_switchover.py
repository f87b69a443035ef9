"""A flow is moved, while both clusters are up, to another one on which MirrorMaker 2 keeps the names of topics.

With the identity policy a mirrored topic is called as at its source, so that one name holds the mirrored records and,
after the move, those that are produced there. It cannot be mirrored back at the same time: records would go round.
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

FLOW = Flow("switchover", replication=1)
PLAN = Plan(
    drill_id="lab-mirror-switchover",
    title="Payments flow, switchover to a recovery cluster with the same topic names",
    kind="switchover",
    description="the sink is killed, and the flow moves to the recovery cluster",
    heal="producers and the sink use the recovery cluster",
    affected=(names.CLUSTER,),
    untouched=(RECOVERY, names.DOWNSTREAM),
)
MIRRORING = Mirroring(
    ways=((names.CLUSTER, RECOVERY),),
    topic_names={names.CLUSTER: (FLOW.topic,), RECOVERY: (FLOW.topic,)},
    keeps_names=True,
)


def conduct(primary: LabCluster, bundle: Path, traffic: Traffic) -> MirrorTruth:
    """Kill the sink, end the producer, wait until all is mirrored, switch, recover; every acknowledged record moves."""
    with MirrorDrill(primary, bundle, PLAN, FLOW, MIRRORING, traffic) as drill:
        producer, sink = drill.begin()
        drill.mark("inject", "drill conductor", PLAN.description)
        sink.kill()
        before_switch = len(drill.applied())
        unapplied = producer.acked + int(traffic.records_per_second)
        wait_until("records that nobody applies", lambda: producer.acked > unapplied, RECOVER_SECONDS)
        drill.mark("detect", definition.MONITOR, "nothing takes effect")
        drill.mark("declare", definition.COMMANDER, f"declared: {PLAN.title}")
        producer.stop()
        drill.wait_mirrored(drill.primary, drill.recovery, FLOW.topic)
        drill.mark("switch", definition.OPERATOR, PLAN.heal)
        second, sinks = drill.run_on(drill.recovery, "recovery-")
        drill.mark("heal", definition.OPERATOR, PLAN.heal)
        drill.recovered(second, sinks, "payments take effect on the recovery side")
        drill.stand_down(second, sinks)
        return drill.conclude([producer, second], before_switch)
