"""A flow moves to another cluster through MirrorMaker 2 when all brokers of its own are killed, and moves back.

Topics carry the name of the cluster they were mirrored from, so that on either side the flow is two topics: what was
produced here and what was mirrored. Translated offsets are deliberately low: whoever takes over applies some records
again, and how many is counted in the sink's own table.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rtoanalytics.seal import seal_bundle
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.spool.recovery import recover
from tests.lab.harness.kafka import LabCluster
from tests.lab.harness.mirror import MirrorMaker
from tests.lab.harness.processes import LabError, Program, wait_until
from tests.lab.scenarios import definition
from tests.lab.scenarios import flow as names
from tests.lab.scenarios.conduct import RECOVER_SECONDS, START_SECONDS
from tests.lab.scenarios.definition import Plan
from tests.lab.scenarios.flow import Flow
from tests.lab.scenarios.mirror_flow import Producer, Side, Sink, view_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.scenarios.flow import Traffic
    from tests.lab.scenarios.truth import Settled

RECOVERY = "recovery"
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
_OUTSTANDING = 50


@dataclass(frozen=True)
class FailoverTruth:
    """One failover and back, from the outside."""

    settled: list[Settled]
    applied: list[str]
    """Record id of every row of the sink's table, in the order of effects."""
    applied_before_switch: int
    """Rows before the recovery side took over."""
    applied_before_return: int
    """Rows before the primary side took over again."""

    @property
    def acked(self) -> set[str]:
        """Records that a producer was told are in a log."""
        return {record.record_id for record in self.settled if record.error is None}

    @property
    def unsettled(self) -> set[str]:
        """Records whose produce ended in an error."""
        return {record.record_id for record in self.settled if record.error is not None}

    @property
    def effects(self) -> Counter[str]:
        """Rows by record id."""
        return Counter(self.applied)


def conduct(primary: LabCluster, bundle: Path, traffic: Traffic) -> FailoverTruth:
    """Kill the primary, switch, recover, return, recover; `primary` runs and is whole again afterwards."""
    with ExitStack() as stack:
        return _Failover(primary, bundle, traffic, stack).conduct()


class _Failover:
    """The two sides and what runs on them."""

    def __init__(self, primary: LabCluster, bundle: Path, traffic: Traffic, stack: ExitStack) -> None:
        self.bundle = bundle
        self.traffic = traffic
        self._stack = stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rto-lab-")))
        self.database = self.folder / "payments.sqlite"
        recovery = stack.enter_context(LabCluster(RECOVERY, self.folder / RECOVERY, brokers=1))
        self.primary, self.recovery = self._side(primary), self._side(recovery)
        flows = [(primary.name, RECOVERY), (RECOVERY, primary.name)]
        settings = {"topics": FLOW.topic, "groups": FLOW.group_id}
        self.mirror = MirrorMaker([primary, recovery], flows, self.folder / "mirror", **settings)

    def conduct(self) -> FailoverTruth:
        """The drill."""
        producer, sink = self._begin()
        self._mark("inject", "drill conductor", PLAN.description)
        for broker_id in self.primary.cluster.brokers:
            self.primary.cluster.kill(broker_id)
        wait_until("records without an outcome", lambda: producer.outstanding > _OUTSTANDING, RECOVER_SECONDS)
        self._mark("detect", definition.MONITOR, "nothing is acknowledged")
        self._mark("declare", definition.COMMANDER, f"declared: {PLAN.title}")
        producer.abandon()
        sink.kill()
        before_switch = len(self._applied())
        self._mark("switch", definition.OPERATOR, "producers and the sink use the recovery cluster")
        second, sinks = self._run_on(self.recovery, "recovery-", [MIRRORED, HERE])
        self._recovered(second, sinks, "payments take effect on the recovery side")
        self.primary.cluster.repair()
        self._mark("heal", definition.OPERATOR, PLAN.heal)
        before_return = self._leave_recovery(second, sinks)
        third, sinks = self._run_on(self.primary, "returned-", [HERE, MIRRORED_BACK])
        self._recovered(third, sinks, "payments take effect on the primary side again")
        self._stand_down(third, sinks)
        return self._conclude([producer, second, third], before_switch, before_return)

    def _begin(self) -> tuple[Producer, Sink]:
        """Topics, mirror, sink, definition, collectors, producer; then a steady state that can be translated."""
        for side in (self.primary, self.recovery):
            side.cluster.create_topic(FLOW.topic, FLOW.partitions, replication=1)
        self._stack.enter_context(self.mirror)
        self.mirror.wait_for_topic(RECOVERY, MIRRORED)
        self.mirror.wait_for_topic(self.primary.cluster.name, MIRRORED_BACK)
        self._write_definition()
        sink = Sink(self.primary, HERE, "payments-sink-1")
        wait_until("the sink's table", self.database.exists, START_SECONDS)
        self._collector = self._stack.enter_context(self._program("collect", str(self.bundle)))
        producer = Producer(self.primary, "pay-")
        wait_until(
            "translated offsets", self._is_translated(self.recovery, MIRRORED), START_SECONDS, self.mirror.program
        )
        self._run_for(self.traffic.steady_seconds)
        return producer, sink

    def _run_on(self, side: Side, prefix: str, topics: list[str]) -> tuple[Producer, list[Sink]]:
        sinks = [Sink(side, topic, f"payments-sink-{prefix}{number}") for number, topic in enumerate(topics)]
        return Producer(side, prefix), sinks

    def _recovered(self, producer: Producer, sinks: list[Sink], text: str) -> None:
        """Wait until what is produced now takes effect, say so, and let it last a while."""
        most = int(self.traffic.records_per_second)
        wait_until("new acks", lambda: producer.acked > most, RECOVER_SECONDS)
        wait_until("the sinks to catch up", lambda: all(sink.is_caught_up(most) for sink in sinks), RECOVER_SECONDS)
        self._mark("application_ok", definition.APPLICATION, text)
        self._run_for(self.traffic.after_seconds)

    def _leave_recovery(self, producer: Producer, sinks: list[Sink]) -> int:
        """End the work on the recovery side and wait until the primary side has all of it; rows until then."""
        producer.stop()
        for sink in sinks:
            sink.stop()
        wait_until("the way back to be mirrored", self._is_mirrored_back, RECOVER_SECONDS, self.mirror.program)
        is_translated = self._is_translated(self.primary, MIRRORED_BACK)
        wait_until("offsets translated back", is_translated, RECOVER_SECONDS, self.mirror.program)
        self._mark("rollback", definition.COMMANDER, "producers and the sink return to the primary cluster")
        return len(self._applied())

    def _stand_down(self, producer: Producer, sinks: list[Sink]) -> None:
        self._mark("stand_down", definition.COMMANDER, "the drill is over")
        producer.stop()
        for sink in sinks:
            sink.stop()
        self._collector.ask_to_end()
        self._wait_end(self._collector)
        self._wait_end(self._stack.enter_context(self._program("collect", "log", str(self.bundle))))

    def _conclude(self, producers: list[Producer], before_switch: int, before_return: int) -> FailoverTruth:
        recover(self.bundle)
        seal_bundle(self.bundle)
        settled = [record for producer in producers for record in producer.settled()]
        return FailoverTruth(settled, self._applied(), before_switch, before_return)

    def _is_translated(self, side: Side, topic: str) -> Callable[[], bool]:
        """Tells whether the group has a commit on every partition of a mirrored topic."""
        return lambda: len(side.committed(topic)) == FLOW.partitions

    def _is_mirrored_back(self) -> bool:
        try:
            return self.primary.log_ends(MIRRORED_BACK) == self.recovery.log_ends(HERE)
        except LabError:
            return False

    def _applied(self) -> list[str]:
        with closing(sqlite3.connect(self.database)) as connection:
            return [row[0] for row in connection.execute("select payment_id from payments order by effect_id")]

    def _side(self, cluster: LabCluster) -> Side:
        view = view_of(cluster)
        self._stack.callback(view.close)
        return Side(cluster, self.bundle, FLOW, self.traffic, self.folder, self.database, self._stack, view)

    def _mark(self, kind: str, actor: str, text: str) -> None:
        mark(self.bundle, kind, step=kind, actor=actor, channel="drill lab", text=text, source="drill lab")

    def _run_for(self, seconds: float) -> None:
        over = time.monotonic() + seconds
        wait_until(f"{seconds} s to pass", lambda: time.monotonic() >= over, seconds + START_SECONDS)

    def _wait_end(self, program: Program) -> None:
        if not program.wait(RECOVER_SECONDS):
            raise LabError(program.epitaph())

    def _program(self, *arguments: str) -> Program:
        environment = {"PYTHONPATH": ":".join(found for found in sys.path if found), "PAYMENTS_DB": str(self.database)}
        command = [sys.executable, "-m", "rtoanalytics", *arguments]
        return Program("-".join(["rto", *arguments[:-1]]), command, self.folder, environment=environment)

    def _write_definition(self) -> None:
        servers = self.primary.cluster.bootstrap_servers
        definition.write_definition(self.bundle, PLAN, FLOW, self.traffic, servers)
        document = definition.definition(PLAN, FLOW, self.traffic, servers)
        document |= _two_clusters(servers, self.recovery.cluster.bootstrap_servers)
        document["flow"]["downstreams"][0]["match"] = "record_id"
        document["criteria"]["max_duplicated_records"] = int(self.traffic.records_per_second * 20)
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        (self.bundle / "drill.yaml").write_text(text, encoding="utf-8")


def _two_clusters(primary: str, recovery: str) -> dict[str, Any]:
    """What the definition says of the second cluster, and of what is captured beside the clusters."""
    return {
        "platform": {"name": "kafka-4.3-two-clusters", "pattern": "active-passive"},
        "clusters": {
            names.CLUSTER: {"bootstrap_servers": primary, "topic_names": {HERE: [HERE, MIRRORED_BACK]}},
            RECOVERY: {"bootstrap_servers": recovery, "topic_names": {HERE: [HERE, MIRRORED]}},
        },
        "collect": {
            "record_id": {"header": names.ID_HEADER},
            "downstreams": {
                names.DOWNSTREAM: {
                    "database": "${PAYMENTS_DB}",
                    "driver": "adbc_driver_sqlite",
                    "table": "payments",
                    "columns": {"record_id": "payment_id", "applied_at": "applied_at_us"},
                    "instants": "us",
                    "order": "effect_id",
                }
            },
            "mirrors": [
                {"source": names.CLUSTER, "target": RECOVERY},
                {"source": RECOVERY, "target": names.CLUSTER},
            ],
        },
    }
