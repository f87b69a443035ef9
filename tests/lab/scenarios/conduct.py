"""One drill of the lab from beginning to end; a scenario says what happens in the middle.

Nothing sleeps and hopes: each phase ends when its condition holds, and fails with what it was waiting for when its
deadline passes. Whatever happens, the programs are ended.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rtoanalytics.errors import ClusterError
from rtoanalytics.seal import seal_bundle
from rtoanalytics_collectors.demo.pipes import Child, Message
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.kafka import KafkaCluster
from rtoanalytics_collectors.spool.recovery import recover
from tests.lab.harness.processes import LabError, wait_until
from tests.lab.harness.tools import dump_log
from tests.lab.scenarios import definition
from tests.lab.scenarios import flow as names
from tests.lab.scenarios.capture import Capture
from tests.lab.scenarios.truth import Truth, read_journal, read_sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.harness.kafka import LabCluster
    from tests.lab.harness.tools import StoredRecord
    from tests.lab.scenarios.definition import Plan
    from tests.lab.scenarios.flow import Flow, Traffic

Known = Any
"""A field of Truth."""
START_SECONDS = 60.0
RECOVER_SECONDS = 90.0
_IMPATIENT = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500, "socket.timeout.ms": 3_000}
"""Programs find out within seconds that a broker does not answer, not within the minute of the default."""

_LAST_APPLIED = """
select partition, record_offset from payments
where effect_id in (select max(effect_id) from payments group by partition)
"""


class Worker(Child):
    """A program of the lab that can also be frozen and killed."""

    def pause(self) -> None:
        """SIGSTOP."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()
        self.wait(START_SECONDS)


class Drill:
    """A flow under observation. Use as a context manager: leaving it ends every program."""

    def __init__(self, cluster: LabCluster, bundle: Path, plan: Plan, flow: Flow, traffic: Traffic) -> None:
        """Nothing runs yet; `bundle` is a folder that does not exist or is empty."""
        self.cluster = cluster
        self.bundle = bundle
        self.flow = flow
        self.traffic = traffic
        self.produced: Message = {"sent": 0, "outcomes": {}}
        """The producer's latest report."""
        self.sink: Worker
        self.producer: Worker
        self._plan = plan
        self._servers = cluster.proxied_bootstrap_servers if flow.is_proxied else cluster.bootstrap_servers
        self._view = KafkaCluster(names.CLUSTER, cluster.bootstrap_servers)
        self._stack = ExitStack()
        self._sinks = 0

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rto-lab-")))
        self._database = self._folder / "payments.sqlite"
        self._stack.callback(self._view.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def prepare(self) -> None:
        """Topic, definition, collectors."""
        flow = self.flow
        self.cluster.create_topic(flow.topic, flow.partitions, flow.replication, **flow.topic_settings)
        definition.write_definition(self.bundle, self._plan, flow, self.traffic, self._servers)
        database = {definition.DATABASE_VARIABLE: f"{self._database.as_uri()}?mode=ro"}
        self._capture = Capture(self.bundle, self._folder, database)
        self._stack.callback(self._capture.close)
        self._capture.start()

    def begin(self) -> None:
        """What `prepare` does, sink, producer; then the steady state."""
        self.prepare()
        self.start_sink()
        self._start_producer()
        self.until("the flow to take effect", lambda: self.applied() > 0, START_SECONDS)
        self.run_for(self.traffic.steady_seconds)
        self.until("a steady state", self.is_caught_up, START_SECONDS)

    def start_sink(self) -> None:
        """Start the payments sink, or its replacement."""
        self._sinks += 1
        self.sink = Worker("tests.lab.programs.sink", self._folder, lambda _: None)
        self._stack.callback(self.sink.close)
        self.sink.order(
            **self._common(f"payments-sink-{self._sinks}"),
            database=str(self._database),
            commit=self.flow.commit,
            is_idempotent=self.flow.is_idempotent,
            settings=self._settings({"group.id": self.flow.group_id, **self.flow.sink_settings}),
        )

    def crash_sink(self, records: int) -> None:
        """Make the sink die with at least `records` records between its two steps, and wait until it has."""
        self.sink.order(do="crash", records=records)
        if not self.sink.wait(RECOVER_SECONDS):
            msg = f"the sink was told to crash with {records} records in hand and did not"
            raise LabError(msg)

    def mark(self, kind: str, actor: str, text: str) -> None:
        """Record an event; its kind is the runbook's step as well."""
        mark(self.bundle, kind, step=kind, actor=actor, channel="drill lab", text=text, source="drill lab")

    def inject(self) -> None:
        """Record that the fault begins now."""
        self.mark("inject", "drill conductor", self._plan.description)

    def detect(self, symptom: str, is_seen: Callable[[], bool]) -> None:
        """Wait until a symptom is seen, then record that it was detected and declared."""
        self.until(symptom, is_seen, RECOVER_SECONDS)
        self.mark("detect", definition.MONITOR, symptom)
        self.mark("declare", definition.COMMANDER, f"declared: {self._plan.title}")

    def healed(self) -> None:
        """Record that the fault is over."""
        self.mark("heal", definition.OPERATOR, self._plan.heal)

    def recover(self) -> None:
        """Wait until the flow has caught up, say so, and let it run on for a while."""
        produced = self.produced["outcomes"].get("acked", 0)
        more = int(self.traffic.records_per_second)
        self.until("new acks", lambda: self.produced["outcomes"].get("acked", 0) > produced + more, RECOVER_SECONDS)
        self.until("the sink to catch up", self.is_caught_up, RECOVER_SECONDS)
        self.mark("application_ok", definition.APPLICATION, "payments take effect again")
        self.run_for(self.traffic.after_seconds)

    def finish(self, superseded: dict[int, list[StoredRecord]] | None = None, **notes: int) -> Truth:
        """Stand down, drain, read back, seal; what is known of it all from outside the evidence."""
        self.mark("stand_down", definition.COMMANDER, "the drill is over")
        self.producer.order(do="stop")
        self.until(
            "every payment to have its outcome", lambda: self.produced.get("is_finished", False), RECOVER_SECONDS
        )
        ends = {partition: end for (_, partition), end in self.log_ends().items()}
        self.sink.order(do="stop", at=ends)
        self._wait_end(self.sink, "the sink to drain")
        self._wait_end(self.producer, "the producer to end")
        return self.conclude(
            sent=self.produced["sent"],
            settled=read_journal(self._journal),
            applied=read_sink(self._database),
            superseded=superseded or {},
            notes=notes,
        )

    def conclude(self, **known: Known) -> Truth:
        """Stop the capture, read back, seal; what is `known` with what the cluster holds in the end."""
        self._capture.stop()
        self.cluster.repair()
        self._capture.read_back()
        self._capture.close()
        recover(self.bundle)  # a program that was killed has left its spool
        committed = self._view.committed_offsets(self.flow.group_id, self.flow.topic_partitions)
        log = self.dump(self._best_replica())
        seal_bundle(self.bundle)
        return Truth(log=log, committed={partition: offset for (_, partition), offset in committed.items()}, **known)

    def until(self, what: str, is_true: Callable[[], bool], seconds: float) -> None:
        """Wait until a condition holds; on the way, notice a program that has died by itself."""

        def holds() -> bool:
            for worker in (getattr(self, "producer", None), getattr(self, "sink", None)):
                if worker is not None and not worker.is_running and not worker.is_over:
                    raise LabError(worker.epitaph())
            return is_true()

        wait_until(what, holds, seconds)

    def run_for(self, seconds: float) -> None:
        """Let the flow run on."""
        over = time.monotonic() + seconds
        self.until(f"{seconds} s to pass", lambda: time.monotonic() >= over, seconds + START_SECONDS)

    def outstanding(self) -> int:
        """Records sent that have no outcome yet, by the producer's latest report."""
        outcomes: dict[str, int] = self.produced["outcomes"]
        return int(self.produced["sent"]) - sum(outcomes.values())

    def applied(self) -> int:
        """Rows in the sink's table."""
        return int(self._ask("select count(*) from payments", ((0,),))[0][0])

    def is_caught_up(self) -> bool:
        """Whether the sink has applied almost all that is in the log."""
        last: dict[int, int] = dict(self._ask(_LAST_APPLIED, ()))
        waiting = sum(max(0, end - 1 - last.get(p, -1)) for (_, p), end in self.log_ends().items())
        return waiting <= self.traffic.records_a_second_or_so / 2

    def log_ends(self) -> dict[tuple[str, int], int]:
        """Log end of every partition, once every leader answers."""
        found: dict[tuple[str, int], int] = {}

        def is_complete() -> bool:
            try:
                ends = self._view.log_ends(self.flow.topic_partitions)
            except ClusterError:
                return False
            found.update({key: end.log_end_offset for key, end in ends.items()})
            return len(ends) == self.flow.partitions

        wait_until("every partition's log end", is_complete, RECOVER_SECONDS)
        return found

    def dump(self, broker_id: int) -> dict[int, list[StoredRecord]]:
        """What the segment files of one broker hold of the flow's topic."""
        return dump_log(self.cluster.brokers[broker_id], self.flow.topic, range(self.flow.partitions))

    def _best_replica(self) -> int:
        """A broker with every partition: the cluster is whole, so each of its replicas is as good as the leader."""
        return min(self.cluster.in_sync(self.flow.topic, 0))

    def _start_producer(self) -> None:
        self._journal = self._folder / "journal.jsonl"
        self.producer = Worker("tests.lab.programs.producer", self._folder, self._heard)
        self._stack.callback(self.producer.close)
        self.producer.order(
            **self._common("payments-producer"),
            journal=str(self._journal),
            id_prefix="pay-",
            records_per_second=self.traffic.records_per_second,
            settings=self._settings({"acks": "all", **self.flow.producer_settings}),
        )

    def _heard(self, message: Message) -> None:
        self.produced = message

    def _common(self, client_id: str) -> dict[str, Any]:
        return {
            "bundle": str(self.bundle),
            "client_id": client_id,
            "cluster": names.CLUSTER,
            "topic": self.flow.topic,
            "id_header": names.ID_HEADER,
        }

    def _settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {"bootstrap.servers": self._servers, **_IMPATIENT, **settings}

    def _ask(self, sql: str, otherwise: tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
        try:
            with closing(sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True)) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.Error:  # not there yet
            return otherwise

    def _wait_end(self, worker: Worker, what: str) -> None:
        if not worker.wait(RECOVER_SECONDS):
            msg = f"waited {RECOVER_SECONDS:.0f} s for {what}"
            raise LabError(msg)
