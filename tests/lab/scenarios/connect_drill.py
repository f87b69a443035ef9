"""A drill whose sink is a real Kafka Connect connector into a real PostgreSQL, captured by `rto collect`."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import yaml

from rtoanalytics.seal import seal_bundle
from rtoanalytics_collectors.spool.recovery import recover
from tests.lab.harness.connect import PAYMENTS_TABLE, ConnectWorker, jdbc_sink
from tests.lab.harness.jars import MissingProgramError
from tests.lab.harness.postgres import Postgres, postgres_programs
from tests.lab.harness.processes import LabError, Program
from tests.lab.scenarios import definition
from tests.lab.scenarios import flow as names
from tests.lab.scenarios.conduct import RECOVER_SECONDS, START_SECONDS, Drill
from tests.lab.scenarios.flow import Flow
from tests.lab.scenarios.truth import Applied, Truth, read_journal

if TYPE_CHECKING:
    from tests.lab.harness.tools import StoredRecord

DATABASE = "payments"
_URI_VARIABLE = "PAYMENTS_DB"
_LAST_APPLIED = """
select __connect_partition, max(__connect_offset) from payments group by __connect_partition
"""
_EFFECTS = "select __connect_partition, __connect_offset, payment_id from payments order by effect_id"


@dataclass(frozen=True)
class ConnectFlow(Flow):
    """A flow that a connector applies."""

    @property
    def connector(self) -> str:
        """The connector."""
        return f"payments-jdbc-{self.name}"

    @property
    def group_id(self) -> str:
        """The group of the connector, as Kafka Connect calls it."""
        return f"connect-{self.connector}"


class ConnectDrill(Drill):
    """A flow whose sink is a connector. Use as a context manager: leaving it ends every program."""

    flow: ConnectFlow

    def __enter__(self) -> Self:
        super().__enter__()
        programs = postgres_programs()
        if programs is None:
            msg = "this scenario needs PostgreSQL, and this machine has none (Debian: apt install postgresql)"
            raise MissingProgramError(msg)
        self.postgres = self._stack.enter_context(Postgres(programs))
        copies = min(3, len(self.cluster.brokers))
        folder = self._folder / "connect"
        self.worker = self._stack.enter_context(ConnectWorker(self._servers, folder, copies=copies))
        return self

    def begin(self) -> None:
        """Topic, table, connector, definition, collectors, producer; then the steady state."""
        flow = self.flow
        self.cluster.create_topic(flow.topic, flow.partitions, flow.replication, **flow.topic_settings)
        self.postgres.new_database(DATABASE)
        self.postgres.execute(PAYMENTS_TABLE.format(table="payments"), DATABASE)
        self._write_definition()
        self.worker.create(flow.connector, jdbc_sink(self.postgres, DATABASE, flow.topic))
        self._start_collect()
        self._start_producer()
        self.until("the flow to take effect", lambda: self.applied() > 0, START_SECONDS)
        self.run_for(self.traffic.steady_seconds)
        self.until("a steady state", self.is_caught_up, START_SECONDS)

    def applied(self) -> int:
        """Rows in the table."""
        return int(self.postgres.value("select count(*) from payments", DATABASE))

    def is_caught_up(self) -> bool:
        """Whether the connector has applied almost all that is in the log."""
        return self._waiting() <= self.traffic.records_a_second_or_so / 2

    def uncommitted(self) -> int:
        """Records in the log behind the connector's last commit, which can be told without asking the database."""
        committed = self._view.committed_offsets(self.flow.group_id, self.flow.topic_partitions)
        return sum(max(0, end - committed.get(place, 0)) for place, end in self.log_ends().items())

    def wait_for_standstill(self, seconds: float) -> None:
        """Wait until the connector has committed nothing new for so long."""
        seen: list[tuple[float, dict[int, int]]] = []

        def stands() -> bool:
            offsets = self.worker.offsets(self.flow.connector)
            if not seen or seen[-1][1] != offsets:
                seen.append((time.monotonic(), offsets))
            return time.monotonic() - seen[-1][0] >= seconds

        self.until("the connector to stand still", stands, START_SECONDS)

    def finish(self, superseded: dict[int, list[StoredRecord]] | None = None, **notes: int) -> Truth:
        """Stand down, drain, read back, seal; what is known of it all from outside the evidence."""
        self.mark("stand_down", definition.COMMANDER, "the drill is over")
        self.producer.order(do="stop")
        self.until(
            "every payment to have its outcome", lambda: self.produced.get("is_finished", False), RECOVER_SECONDS
        )
        self._wait_end(self.producer, "the producer to end")
        self.until("the connector to apply everything", lambda: self._waiting() == 0, RECOVER_SECONDS)
        self.until("the connector to commit everything", lambda: self.uncommitted() == 0, RECOVER_SECONDS)
        self._end_collect()
        self.cluster.repair()
        self._collect("log", str(self.bundle))
        recover(self.bundle)
        committed = self._view.committed_offsets(self.flow.group_id, self.flow.topic_partitions)
        truth = Truth(
            sent=self.produced["sent"],
            settled=read_journal(self._journal),
            applied=[Applied(*row) for row in self.postgres.rows(_EFFECTS, DATABASE)],
            log=self.dump(self._best_replica()),
            committed={partition: offset for (_, partition), offset in committed.items()},
            superseded=superseded or {},
            notes=notes,
        )
        seal_bundle(self.bundle)
        return truth

    def _waiting(self) -> int:
        """Records in the log that the table does not have."""
        last = dict(self.postgres.rows(_LAST_APPLIED, DATABASE))
        return sum(max(0, end - 1 - last.get(partition, -1)) for (_, partition), end in self.log_ends().items())

    def _write_definition(self) -> None:
        definition.write_definition(self.bundle, self._plan, self.flow, self.traffic, self._servers)
        document = definition.definition(self._plan, self.flow, self.traffic, self._servers)
        document["objectives"]["restored_when"]["conditions"].append(
            {"kind": "connectors", "connectors": [self.flow.connector]}
        )
        document["collect"] = collection(self.flow, self.worker.url)
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        (self.bundle / "drill.yaml").write_text(text, encoding="utf-8")

    def _start_collect(self) -> None:
        self._collector = self._stack.enter_context(self._program("collect", str(self.bundle)))

    def _end_collect(self) -> None:
        self._collector.ask_to_end()
        if not self._collector.wait(RECOVER_SECONDS):
            msg = f"rto collect did not end: {self._collector.epitaph()}"
            raise LabError(msg)

    def _collect(self, *arguments: str) -> None:
        with self._program("collect", *arguments) as program:
            if not program.wait(RECOVER_SECONDS):
                raise LabError(program.epitaph())

    def _program(self, *arguments: str) -> Program:
        path = os.pathsep.join(found for found in sys.path if found)
        environment = {"PYTHONPATH": path, _URI_VARIABLE: self.postgres.uri_of(DATABASE)}
        command = [sys.executable, "-m", "rtoanalytics", *arguments]
        return Program("-".join(["rto", arguments[0]]), command, self._folder, environment=environment)


def collection(flow: ConnectFlow, connect_url: str) -> dict[str, Any]:
    """The section `collect` of the definition."""
    return {
        "interval_seconds": 0.5,
        "record_id": {"header": names.ID_HEADER},
        "downstreams": {
            names.DOWNSTREAM: {
                "database": f"${{{_URI_VARIABLE}}}",
                "table": "payments",
                "columns": {"record_id": "payment_id", "applied_at": "applied_at"},
                "constants": {"cluster": names.CLUSTER},
                "order": "effect_id",
            }
        },
        "connect": [{"url": connect_url, "connectors": [flow.connector]}],
    }
