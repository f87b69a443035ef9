"""The demo drill from beginning to end: steady state, fault, detection, decisions, healing, recovery, read-back.

Nothing sleeps and hopes: each phase ends when its condition holds, and fails with what it was waiting for when its
deadline passes. Whatever happens, the programs are ended and what was captured is sealed.
"""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.applied.sqlite import SqliteApplied
from rtoanalytics_collectors.commits.polled import Commits
from rtoanalytics_collectors.demo import definition, flow
from rtoanalytics_collectors.demo.stage import ClusterChild, Stage
from rtoanalytics_collectors.demo.watch import Watch
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.kafka import KafkaCluster
from rtoanalytics_collectors.log_records import LogReader
from rtoanalytics_collectors.partitions import Partitions, cluster_info
from rtoanalytics_collectors.sampling import Heart, SamplingLoop, start
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.spool.recovery import recover
from rtoanalytics_collectors.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtoanalytics_collectors.demo.faults.fault import Fault
    from rtoanalytics_collectors.demo.pipes import Child
    from rtoanalytics_collectors.demo.progress import Progress
    from rtoanalytics_collectors.sampling import Collector

STEADY_SHARE = 0.2
MIN_STEADY_SECONDS = 3.0
SAMPLE_SECONDS = 0.5
QUIET_SECONDS = 1.0
"""How long the flow must look well before the application owner says that it is."""
_TICK_SECONDS = 0.02
_START_SECONDS = 20.0
_DETECT_SECONDS = 15.0
_CRASH_SECONDS = 15.0
_RECOVER_SECONDS = 60.0
_DRAIN_SECONDS = 30.0
AFTER_SECONDS = definition.HOLD_SECONDS + definition.WINDOW_SECONDS + 2
"""Traffic after the recovery: the hold, what a trailing window still remembers, and a step at either end."""


@dataclass(frozen=True)
class Captured:
    """A drill that was conducted."""

    bundle: Path
    drill_id: str
    rows: dict[str, int]
    """Rows captured by evidence table."""
    seconds: float


def evidence_rows(bundle: Path) -> dict[str, int]:
    """Rows of each captured evidence table."""
    folders = sorted(path for path in (bundle / "evidence").iterdir() if path.is_dir())
    return {
        folder.name: sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet")) for folder in folders
    }


class Conduct:
    """One run of the demo drill."""

    def __init__(
        self,
        bundle: Path,
        drill_id: str,
        fault: Fault,
        seconds: float,
        progress: Progress,
        *,
        after_seconds: float = AFTER_SECONDS,
    ) -> None:
        """`seconds` is how long traffic runs at least; the fault and the recovery may need longer.

        `after_seconds` is how long it runs on after the recovery; less than `AFTER_SECONDS` proves no recovery.
        """
        self.watch = Watch()
        self.bundle = bundle
        self.fault = fault
        self._drill_id = drill_id
        self._seconds = seconds
        self._after_seconds = after_seconds
        self._progress = progress
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._records_per_second = min(flow.RECORDS_PER_SECOND, flow.MAX_RECORDS / (seconds + _RECOVER_SECONDS))
        self.stage: Stage

    def run(self) -> Captured:
        """Conduct the drill. Raises ClusterError when it cannot go on; what was captured until then is kept."""
        began = time.monotonic()
        try:
            with ExitStack() as stack:
                self._prepare(stack)
                self._drill()
        finally:
            recover(self.bundle)  # a program that was killed has left its spool
        return Captured(self.bundle, self._drill_id, evidence_rows(self.bundle), time.monotonic() - began)

    def mark(self, kind: str, actor: str, text: str, step: str | None = None) -> None:
        """Record an event, and show it."""
        mark(self.bundle, kind, step=step, actor=actor, channel="rto demo", text=text, source="rto demo")
        self.watch.rows["events"] = self.watch.rows.get("events", 0) + 1
        self._progress.note(f"{kind}: {text} ({actor})")

    def wait_uncommitted(self, records: int) -> None:
        """Wait until the consumer has just applied at least `records` records that it has not committed."""
        self._consumer().order(do="announce", records=records)
        self._until("the consumer to apply without committing", lambda: self.watch.uncommitted > 0, _START_SECONDS)

    def crash_consumer(self, records: int) -> None:
        """Make the consumer die with at least `records` records between its two steps, and wait until it has."""
        consumer = self._consumer()
        consumer.order(do="crash", records=records)
        if not consumer.wait(_CRASH_SECONDS):
            msg = f"the consumer was told to crash with {records} records in hand and did not in {_CRASH_SECONDS} s"
            raise ClusterError(msg)
        consumer.close()

    def start_consumer(self) -> None:
        """Start the payments sink, or its replacement."""
        self.stage.start_consumer(self.watch.heard_consumer, is_commit_first=self.fault.is_commit_first)

    def _prepare(self, stack: ExitStack) -> None:
        self._progress.phase("starting the embedded cluster")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rto-demo-")))
        cluster = ClusterChild(folder)
        stack.callback(cluster.close)
        cluster.start()
        cluster.lead(self.fault.leaders)
        cluster.coordinate(self.fault.coordinator)
        self._plan = definition.Plan(
            self._drill_id, self.fault, cluster.bootstrap_servers, self._records_per_second, datetime.now(UTC)
        )
        definition.write_definition(self.bundle, self._plan)
        self._cluster = KafkaCluster(flow.CLUSTER, cluster.bootstrap_servers)
        stack.callback(self._cluster.close)
        self.stage = Stage(cluster, folder, self.bundle)
        self._start_collectors(stack)
        stack.callback(self.stage.close)

    def _start_collectors(self, stack: ExitStack) -> None:
        names = ("watermarks", "commits", "applied", "partition_states", "broker_states")
        heart = Heart(stack.enter_context(Spool(self.bundle, "heartbeats")))
        spools = {name: stack.enter_context(Spool(self.bundle, name)) for name in names}
        stack.callback(self._stop_collectors)
        for collector in self._collectors():
            loop = SamplingLoop(collector, spools, heart, SAMPLE_SECONDS, self.watch.saw)
            self._threads.append(start(loop, self._stop))

    def _collectors(self) -> tuple[Collector, ...]:
        return (
            Watermarks(self._cluster, flow.TOPIC_PARTITIONS),
            Commits(self._cluster, flow.GROUP_ID, flow.TOPIC_PARTITIONS),
            SqliteApplied(flow.DOWNSTREAM, self.stage.database, flow.PAYMENTS_TABLE, flow.CLUSTER),
            Partitions(self._cluster, [flow.TOPIC]),
        )

    def _stop_collectors(self) -> None:
        """Let every collector look once more and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _drill(self) -> None:
        began = self._steady_state()
        self._hurt_and_heal()
        self._recover(began)
        self._finish()

    def _steady_state(self) -> float:
        self.start_consumer()
        self._until("the consumer to get its partitions", lambda: self.watch.assigned > 0, _START_SECONDS)
        self.stage.start_producer(self.watch.heard_producer, self._records_per_second, self.fault.delivery_timeout_ms)
        self._until("the first payment to be applied", lambda: self.watch.applied > 0, _START_SECONDS)
        began = time.monotonic()
        self._progress.phase(f"steady state: {self._records_per_second:.0f} payments a second")
        steady = max(MIN_STEADY_SECONDS, self._seconds * STEADY_SHARE)
        self._until_elapsed(began + steady)
        self._until("a healthy steady state", self._is_recovered, _START_SECONDS)
        return began

    def _hurt_and_heal(self) -> None:
        fault = self.fault
        self._progress.phase(f"fault: {fault.title}")
        if fault.aim:
            fault.aim(self)
        injected = time.monotonic()
        self.mark("inject", "drill conductor", fault.description)
        fault.inject(self)
        self._until("the monitor to see the fault", lambda: self.watch.symptom() is not None, _DETECT_SECONDS)
        self.mark("detect", definition.MONITOR, self.watch.symptom() or "a symptom that has passed", "detect")
        self.mark("declare", definition.COMMANDER, f"declared: {fault.title}", "declare")
        self.mark("decide", definition.COMMANDER, fault.switch_text or "repair in place", "decide")
        if fault.switch:
            fault.switch(self)
            self.mark("switch", definition.OPERATOR, fault.switch_text, "switch")
        self._until_elapsed(injected + fault.outage_seconds)
        fault.heal(self)
        self.mark("heal", definition.OPERATOR, fault.heal_text, "heal")

    def _recover(self, began: float) -> None:
        self._progress.phase("recovery: draining the backlog")
        self._until("the flow to recover", self._is_recovered, _RECOVER_SECONDS)
        lag = self.watch.lag_records()
        self.mark("application_ok", definition.APPLICATION, f"payments take effect again, lag {lag} records", "confirm")
        self._progress.phase("holding, to see that it lasts")
        self._until_elapsed(max(began + self._seconds, time.monotonic() + self._after_seconds))

    def _finish(self) -> None:
        """End quickly: a flow that has been switched off looks like an outage to every condition."""
        self._progress.phase("standing down")
        self.mark("stand_down", definition.COMMANDER, "the drill is over")
        producer, consumer = self._producer(), self._consumer()
        producer.order(do="stop")
        self._until("every payment to have its outcome", lambda: self.watch.is_producer_finished, _DRAIN_SECONDS)
        ends = self._cluster.log_ends(flow.TOPIC_PARTITIONS)
        consumer.order(do="stop", at={partition: end.log_end_offset for (_, partition), end in ends.items()})
        self._wait_end(consumer.wait, "the consumer to drain")
        self._stop_collectors()
        self._wait_end(producer.wait, "the producer to end")
        self._read_back()

    def _read_back(self) -> None:
        self._progress.phase("reading the log back")
        with (
            Spool(self.bundle, "log_records") as log_records,
            Spool(self.bundle, "log_scans") as log_scans,
            Spool(self.bundle, "cluster_info") as info,
        ):
            info.append(cluster_info(self._cluster))
            reader = LogReader(self._cluster, log_records, log_scans, flow.RECORD_ID)
            self.watch.rows["log_records"] = reader.scan(dict.fromkeys(flow.TOPIC_PARTITIONS, 0))

    def _producer(self) -> Child:
        return _started(self.stage.producer, "producer")

    def _consumer(self) -> Child:
        return _started(self.stage.consumer, "consumer")

    def _is_recovered(self) -> bool:
        return self.watch.is_recovered(self._plan.max_lag_records, QUIET_SECONDS)

    def _wait_end(self, wait: Callable[[float], bool], what: str) -> None:
        if not wait(_DRAIN_SECONDS):
            msg = f"waited {_DRAIN_SECONDS:.0f} s for {what}; what was captured is kept"
            raise ClusterError(msg)

    def _until(self, what: str, is_true: Callable[[], bool], timeout_seconds: float) -> None:
        """Wait until a condition holds; on the way, notice a program that has died by itself."""
        deadline = time.monotonic() + timeout_seconds
        while not is_true():
            self._check_programs()
            if time.monotonic() > deadline:
                seen = self.watch.symptom() or "nothing wrong"
                msg = f"waited {timeout_seconds:.0f} s for {what} (the monitor sees: {seen}); what was captured is kept"
                raise ClusterError(msg)
            self._stop.wait(_TICK_SECONDS)

    def _until_elapsed(self, instant: float) -> None:
        while (remaining := instant - time.monotonic()) > 0:
            self._check_programs()
            self._stop.wait(min(_TICK_SECONDS * 10, remaining))

    def _check_programs(self) -> None:
        for child in (self.stage.producer, self.stage.consumer):
            if child is not None and not child.is_running and not child.is_over:
                raise ClusterError(child.epitaph())


def _started(child: Child | None, name: str) -> Child:
    if child is None:
        msg = f"the demo's {name} was never started"
        raise ClusterError(msg)
    return child
