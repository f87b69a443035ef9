"""One drill of a flow that is mirrored to a recovery cluster: the two sides, what runs on them, and the capture.

A scenario derives from `MirrorDrill` and says what happens in the middle.
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
from typing import TYPE_CHECKING, Any, Self

import yaml

from rtoanalytics.errors import ClusterError
from rtoanalytics.seal import seal_bundle
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.spool.recovery import recover
from tests.lab.harness.kafka import LabCluster
from tests.lab.harness.mirror import MirrorMaker
from tests.lab.harness.processes import LabError, Program, wait_until
from tests.lab.scenarios import definition
from tests.lab.scenarios import flow as names
from tests.lab.scenarios.conduct import RECOVER_SECONDS, START_SECONDS
from tests.lab.scenarios.mirror_flow import Producer, Side, Sink, view_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.lab.scenarios.definition import Plan
    from tests.lab.scenarios.flow import Flow, Traffic
    from tests.lab.scenarios.truth import Settled

RECOVERY = "recovery"
"""The cluster that the flow moves to."""


@dataclass(frozen=True)
class MirrorTruth:
    """One drill of a mirrored flow, from the outside."""

    settled: list[Settled]
    applied: list[str]
    """Record id of every row of the sink's table, in the order of effects."""
    applied_before_switch: int
    """Rows before the recovery side took over."""

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


@dataclass(frozen=True)
class Mirroring:
    """Which way a flow is mirrored, and what its topic is called on each side."""

    ways: tuple[tuple[str, str], ...]
    """Pairs of source and target."""
    topic_names: Mapping[str, Sequence[str]]
    """By cluster, every topic that holds the flow there."""
    keeps_names: bool = False
    """Whether a mirrored topic is called as at its source."""

    @property
    def mirrored(self) -> tuple[tuple[str, str], ...]:
        """Cluster and name of each mirrored topic."""
        return tuple((target, self.topic_names[target][-1]) for _, target in self.ways)


class MirrorDrill:
    """The two sides of a mirrored flow under observation. Use as a context manager: leaving it ends every program."""

    def __init__(
        self, primary: LabCluster, bundle: Path, plan: Plan, flow: Flow, mirroring: Mirroring, traffic: Traffic
    ) -> None:
        """Nothing runs yet but `primary`; `bundle` is a folder that does not exist or is empty."""
        self.bundle = bundle
        self.plan = plan
        self.flow = flow
        self.mirroring = mirroring
        self.traffic = traffic
        self._cluster = primary
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rto-lab-")))
        self._database = self._folder / "payments.sqlite"
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self) -> tuple[Producer, Sink]:
        """Recovery cluster, mirror, definition, sink, collectors, producer; then a steady state that is translated."""
        self._start_recovery()
        for source, _ in self.mirroring.ways:
            self._sides[source].cluster.create_topic(self.flow.topic, self.flow.partitions, replication=1)
        self._stack.enter_context(self.mirror)
        for target, topic in self.mirroring.mirrored:
            self.mirror.wait_for_topic(target, topic)
        self._write_definition()
        sink = Sink(self.primary, self.flow.topic, "payments-sink-1")
        wait_until("the sink's table", self._database.exists, START_SECONDS)
        self._collector = self._stack.enter_context(self._program("collect", str(self.bundle)))
        producer = Producer(self.primary, "pay-")
        target, topic = self.mirroring.mirrored[0]
        self.wait_translated(self._sides[target], topic)
        self.run_for(self.traffic.steady_seconds)
        return producer, sink

    def run_on(self, side: Side, prefix: str) -> tuple[Producer, list[Sink]]:
        """Start a producer and, for every topic that holds the flow there, a sink."""
        topics = self.mirroring.topic_names[side.cluster.name]
        sinks = [Sink(side, topic, f"payments-sink-{prefix}{number}") for number, topic in enumerate(topics)]
        return Producer(side, prefix), sinks

    def recovered(self, producer: Producer, sinks: list[Sink], text: str) -> None:
        """Wait until what is produced now takes effect, say so, and let it last a while."""
        most = int(self.traffic.records_per_second)
        wait_until("new acks", lambda: producer.acked > most, RECOVER_SECONDS)
        wait_until("the sinks to catch up", lambda: all(sink.is_caught_up(most) for sink in sinks), RECOVER_SECONDS)
        self.mark("application_ok", definition.APPLICATION, text)
        self.run_for(self.traffic.after_seconds)

    def wait_mirrored(self, source: Side, target: Side, topic: str) -> None:
        """Wait until `topic` on the target, which must have begun as a mirror, holds all that the source has."""

        def is_mirrored() -> bool:
            try:
                return target.log_ends(topic) == source.log_ends(self.flow.topic)
            except ClusterError:
                return False

        wait_until(f"{topic} to be mirrored", is_mirrored, RECOVER_SECONDS, self.mirror.program)

    def wait_translated(self, side: Side, topic: str) -> None:
        """Wait until the group has a commit on every partition of a mirrored topic."""

        def is_translated() -> bool:
            return len(side.committed(topic)) == self.flow.partitions

        wait_until(f"translated offsets of {topic}", is_translated, START_SECONDS, self.mirror.program)

    def stand_down(self, producer: Producer, sinks: list[Sink]) -> None:
        """Drain, end the capture and read back; every cluster must be up."""
        self.mark("stand_down", definition.COMMANDER, "the drill is over")
        producer.stop()
        for sink in sinks:
            sink.stop()
        self._collector.ask_to_end()
        self._wait_end(self._collector)
        self._wait_end(self._stack.enter_context(self._program("collect", "log", str(self.bundle))))

    def conclude(self, producers: list[Producer], before_switch: int) -> MirrorTruth:
        """Seal; what is known of it all from outside the evidence."""
        recover(self.bundle)
        seal_bundle(self.bundle)
        settled = [record for producer in producers for record in producer.settled()]
        return MirrorTruth(settled, self.applied(), before_switch)

    def applied(self) -> list[str]:
        """Record id of every row of the sink's table, in the order of effects."""
        with closing(sqlite3.connect(self._database)) as connection:
            return [row[0] for row in connection.execute("select payment_id from payments order by effect_id")]

    def mark(self, kind: str, actor: str, text: str) -> None:
        """Record an event; its kind is the runbook's step as well."""
        mark(self.bundle, kind, step=kind, actor=actor, channel="drill lab", text=text, source="drill lab")

    def run_for(self, seconds: float) -> None:
        """Let everything run on."""
        over = time.monotonic() + seconds
        wait_until(f"{seconds} s to pass", lambda: time.monotonic() >= over, seconds + START_SECONDS)

    def _start_recovery(self) -> None:
        recovery = self._stack.enter_context(LabCluster(RECOVERY, self._folder / RECOVERY, brokers=1))
        self.primary, self.recovery = self._side(self._cluster), self._side(recovery)
        self.mirror = MirrorMaker(
            [self._cluster, recovery],
            self.mirroring.ways,
            self._folder / "mirror",
            topics=self.flow.topic,
            groups=self.flow.group_id,
            keeps_names=self.mirroring.keeps_names,
        )

    @property
    def _sides(self) -> dict[str, Side]:
        return {side.cluster.name: side for side in (self.primary, self.recovery)}

    def _side(self, cluster: LabCluster) -> Side:
        view = view_of(cluster)
        self._stack.callback(view.close)
        return Side(cluster, self.bundle, self.flow, self.traffic, self._folder, self._database, self._stack, view)

    def _wait_end(self, program: Program) -> None:
        if not program.wait(RECOVER_SECONDS):
            raise LabError(program.epitaph())

    def _program(self, *arguments: str) -> Program:
        environment = {"PYTHONPATH": ":".join(found for found in sys.path if found), "PAYMENTS_DB": str(self._database)}
        command = [sys.executable, "-m", "rtoanalytics", *arguments]
        return Program("-".join(["rto", *arguments[:-1]]), command, self._folder, environment=environment)

    def _write_definition(self) -> None:
        servers = self.primary.cluster.bootstrap_servers
        definition.write_definition(self.bundle, self.plan, self.flow, self.traffic, servers)
        document = definition.definition(self.plan, self.flow, self.traffic, servers)
        document |= self._two_clusters()
        document["flow"]["downstreams"][0]["match"] = "record_id"
        document["criteria"]["max_duplicated_records"] = int(self.traffic.records_per_second * 20)
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        (self.bundle / "drill.yaml").write_text(text, encoding="utf-8")

    def _two_clusters(self) -> dict[str, Any]:
        """What the definition says of the clusters, and of what is captured beside them."""
        return {
            "platform": {"name": "kafka-4.3-two-clusters", "pattern": "active-passive"},
            "clusters": {name: self._cluster_of(side) for name, side in self._sides.items()},
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
                "mirrors": [{"source": source, "target": target} for source, target in self.mirroring.ways],
            },
        }

    def _cluster_of(self, side: Side) -> dict[str, Any]:
        """A cluster in the definition; names of topics that are as the flow has them need not be told."""
        topics = list(self.mirroring.topic_names[side.cluster.name])
        renamed = {} if topics == [self.flow.topic] else {"topic_names": {self.flow.topic: topics}}
        return {"bootstrap_servers": side.cluster.bootstrap_servers, **renamed}
