"""A real Kafka Connect worker with Debezium's JDBC sink, spoken to through its REST interface."""

from __future__ import annotations

import http.client
import json
import tarfile
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from tests.lab.harness.jars import LAB, STORE, fetch, locked
from tests.lab.harness.jvm import java_command
from tests.lab.harness.ports import free_ports
from tests.lab.harness.processes import LabError, Program, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.lab.harness.postgres import Postgres

START_SECONDS = 90.0
_ASK_SECONDS = 10.0
_HEAP_MEGABYTES = 256
_MAIN = "org.apache.kafka.connect.cli.ConnectDistributed"
_SINK = "io.debezium.connector.jdbc.JdbcSinkConnector"
_HTTP_CONFLICT = 409
_HTTP_REFUSED = 400
STATUS_TOPIC = "connect-status"
PAYMENTS_TABLE = """
create table {table} (
    effect_id bigserial primary key,
    __connect_topic text not null,
    __connect_partition integer not null,
    __connect_offset bigint not null,
    payment text not null,
    payment_id text generated always as ((payment::jsonb) ->> 'id') stored,
    applied_at timestamptz not null default clock_timestamp()
)
"""
"""A table for the sink: it may hold one record twice, and tells when each row was written and where it came from."""


def connect_plugins() -> Path:
    """The folder of connector plugins. Raises MissingProgramError without Java or Maven."""
    archives = fetch(LAB / "plugins" / "pom.xml", "plugin-archives")
    folder = STORE / "plugins"
    with locked("plugins"):
        for archive in archives.glob("*.tar.gz"):
            stamp = folder / f".{archive.name}"
            if not stamp.is_file():
                with tarfile.open(archive) as content:
                    content.extractall(folder, filter="data")
                stamp.touch()
    return folder


class ConnectWorker:
    """One distributed worker. Use as a context manager: it is gone afterwards, with its connectors."""

    def __init__(self, bootstrap_servers: str, folder: Path, *, copies: int = 1, group_id: str = "connect") -> None:
        """Lay a worker out in `folder`. `copies` is the replication of its internal topics."""
        [self._port] = free_ports(1)
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "worker.properties"
        settings = _worker_settings(bootstrap_servers, self._port, copies, group_id)
        self._file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        self._program: Program | None = None

    @property
    def url(self) -> str:
        """Its REST interface."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def program(self) -> Program:
        """The running worker."""
        if self._program is None:
            msg = "the Connect worker is not started"
            raise LabError(msg)
        return self._program

    def start(self) -> Self:
        """Start it and wait until it takes requests."""
        command = java_command(_MAIN, str(self._file), heap_megabytes=_HEAP_MEGABYTES)
        self._program = Program("connect", command, self._folder)
        wait_until("Kafka Connect to start", self._answers, START_SECONDS, self._program)
        return self

    def kill(self) -> None:
        """`kill -9` the worker."""
        self.program.kill()

    def close(self) -> None:
        """Kill it. Safe to call twice."""
        if self._program is not None:
            self._program.close()

    def create(self, name: str, settings: Mapping[str, str]) -> None:
        """Create a connector, or change its settings, and wait until it and its tasks are RUNNING."""
        self.ask("PUT", f"/connectors/{quote(name)}/config", dict(settings))
        self.wait_for_state(name, "RUNNING")

    def states(self, name: str) -> list[str]:
        """State of the connector, then of each of its tasks; empty while it is not known yet."""
        try:
            status = self.ask("GET", f"/connectors/{quote(name)}/status")
        except LabError:
            return []
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]

    def wait_for_state(self, name: str, state: str) -> None:
        """Wait until every task is in a state (and the connector runs)."""

        def is_there() -> bool:
            [*connector, tasks] = [*self.states(name)[:1], self.states(name)[1:]]
            return connector == ["RUNNING"] and bool(tasks) and set(tasks) == {state}

        wait_until(f"connector {name} to be {state}", is_there, START_SECONDS, self.program)

    def restart(self, name: str) -> None:
        """Restart the connector and those of its tasks that have failed."""
        self.ask("POST", f"/connectors/{quote(name)}/restart?includeTasks=true&onlyFailed=true")

    def offsets(self, name: str) -> dict[int, int]:
        """Committed offset (the next to read) by partition of a sink connector's topic."""
        found = self.ask("GET", f"/connectors/{quote(name)}/offsets")["offsets"]
        return {entry["partition"]["kafka_partition"]: entry["offset"]["kafka_offset"] for entry in found}

    def delete(self, name: str) -> None:
        """Delete a connector."""
        self.ask("DELETE", f"/connectors/{quote(name)}")

    def ask(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401  (whatever the interface answers)
        """One request. Raises LabError for a refusal; asks again while the worker rebalances or is slow."""
        answers: list[tuple[int, str]] = []

        def is_answered() -> bool:
            try:
                answers.append(self._request(method, path, body))
            except OSError:
                return False
            return answers[-1][0] != _HTTP_CONFLICT

        wait_until(f"Kafka Connect to answer {method} {path}", is_answered, START_SECONDS, self.program)
        status, text = answers[-1]
        if status >= _HTTP_REFUSED:
            msg = f"Kafka Connect refused {method} {path}: {status} {text[:500]}"
            raise LabError(msg)
        return json.loads(text) if text else None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _request(self, method: str, path: str, body: Any = None) -> tuple[int, str]:  # noqa: ANN401
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ASK_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def _answers(self) -> bool:
        try:
            return self._request("GET", "/connectors")[0] < _HTTP_REFUSED
        except OSError:
            return False


def jdbc_sink(postgres: Postgres, database: str, topic: str, table: str = "payments") -> dict[str, str]:
    """Settings of a sink that inserts each record of a topic into a table made by `PAYMENTS_TABLE`."""
    return {
        "connector.class": _SINK,
        "tasks.max": "1",
        "topics": topic,
        "connection.url": postgres.jdbc_url_of(database),
        "connection.username": postgres.user,
        "connection.password": postgres.password,
        "insert.mode": "insert",
        "primary.key.mode": "kafka",
        "schema.evolution": "none",
        "collection.name.format": table,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "transforms": "hoist",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value",
        "transforms.hoist.field": "payment",
        "flush.max.retries": "1",
        "flush.retry.delay.ms": "200",
        "consumer.override.auto.offset.reset": "earliest",
    }


def _worker_settings(bootstrap_servers: str, port: int, copies: int, group_id: str) -> dict[str, object]:
    return {
        "bootstrap.servers": bootstrap_servers,
        "group.id": group_id,
        "listeners": f"http://127.0.0.1:{port}",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "config.storage.topic": f"{group_id}-configs",
        "config.storage.replication.factor": copies,
        "offset.storage.topic": f"{group_id}-offsets",
        "offset.storage.replication.factor": copies,
        "offset.storage.partitions": 1,
        "status.storage.topic": f"{group_id}-status",
        "status.storage.replication.factor": copies,
        "status.storage.partitions": 1,
        "offset.flush.interval.ms": 1_000,  # how often a sink commits
        "offset.flush.timeout.ms": 1_000,
        "task.shutdown.graceful.timeout.ms": 1_000,
        "scheduled.rebalance.max.delay.ms": 0,
        "connector.client.config.override.policy": "All",
        "consumer.metadata.max.age.ms": 1_000,
        "consumer.session.timeout.ms": 6_000,
        "consumer.heartbeat.interval.ms": 500,
        "plugin.path": connect_plugins(),
        "plugin.discovery": "service_load",
    }
