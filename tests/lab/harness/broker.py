"""One node of a lab cluster: broker and controller in one JVM (KRaft combined mode)."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.harness.jvm import java_command
from tests.lab.harness.processes import LabError, Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

LISTENERS = ("CONTROLLER", "PEER", "CLIENT", "PROXIED", "HARNESS")
"""Controllers among themselves; brokers among themselves; clients; clients that go through the broker's proxy; the
harness itself, which must not ask a broker that is cut off from its peers: it knows only how things were."""
SESSION_TIMEOUT_MS = 4_000
"""How long the controller waits for a broker that died without a word."""
_NO_LEADER = -1
_STARTED = "Transition from STARTING to STARTED"
_FORMAT_SECONDS = 60.0

TIMING = {
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": SESSION_TIMEOUT_MS,
    "controller.quorum.election.timeout.ms": 1_000,
    "controller.quorum.election.backoff.max.ms": 500,
    "controller.quorum.fetch.timeout.ms": 2_000,
    "controller.quorum.request.timeout.ms": 2_000,
    "replica.lag.time.max.ms": 4_000,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "request.timeout.ms": 5_000,
}
SIZE = {
    "num.network.threads": 1,
    "num.io.threads": 2,
    "num.replica.fetchers": 1,
    "num.recovery.threads.per.data.dir": 1,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
    "offsets.topic.num.partitions": 5,
    "offsets.topic.segment.bytes": 10 * 1024 * 1024,
    "transaction.state.log.num.partitions": 3,
    "share.coordinator.state.topic.num.partitions": 3,
}


@dataclass(frozen=True)
class Node:
    """Where a node listens, and what it calls itself to others."""

    broker_id: int
    ports: Mapping[str, int]
    """Port by listener."""
    advertised_ports: Mapping[str, int]
    """Port that others are told of, by listener; where it differs, a proxy listens there."""

    @property
    def address(self) -> str:
        """Where clients reach it directly."""
        return f"127.0.0.1:{self.ports['CLIENT']}"

    @property
    def voter(self) -> str:
        """How the others name it as a controller."""
        return f"{self.broker_id}@127.0.0.1:{self.advertised_ports['CONTROLLER']}"

    @property
    def harness_address(self) -> str:
        """Where the harness reaches it."""
        return f"127.0.0.1:{self.advertised_ports['HARNESS']}"

    @property
    def proxied_address(self) -> str:
        """Where clients reach it through its proxy."""
        return f"127.0.0.1:{self.advertised_ports['PROXIED']}"


class Broker:
    """A node that can be started, killed, paused and started again on the same log."""

    def __init__(self, node: Node, folder: Path, nodes: Iterable[Node], settings: Mapping[str, Any]) -> None:
        """Write its configuration into `folder`; it is formatted and started separately."""
        self.node = node
        self.broker_id = node.broker_id
        self.folder = folder
        self.log_folder = folder / "log"
        self.log_folder.mkdir(parents=True)
        self.configuration = folder / "server.properties"
        lines = [f"{name}={value}" for name, value in self._settings(list(nodes), settings).items()]
        self.configuration.write_text("\n".join(lines) + "\n")
        self.program: Program | None = None
        self._log_begins_at = 0

    @property
    def is_running(self) -> bool:
        """Whether its process runs, paused or not."""
        return self.program is not None and self.program.is_running

    @property
    def has_started(self) -> bool:
        """Whether it has taken up its work since it was last started: the controller lets it in."""
        with self.running.log.open(errors="replace") as log:
            log.seek(self._log_begins_at)
            return _STARTED in log.read()

    @property
    def running(self) -> Program:
        """Its process. Raises LabError when it was never started."""
        if self.program is None:
            msg = f"broker {self.broker_id} of the lab was never started"
            raise LabError(msg)
        return self.program

    def start(self) -> None:
        """Start its process; it is of use some seconds later."""
        command = java_command("kafka.Kafka", str(self.configuration))
        name = f"broker-{self.broker_id}"
        log = self.folder / f"{name}.log"
        self._log_begins_at = log.stat().st_size if log.exists() else 0
        self.program = Program(name, command, self.folder)

    def quorum_view(self) -> tuple[int, int | None]:
        """The latest controller election it has taken part in: epoch, and the leader when it knows one."""
        path = self.log_folder / "__cluster_metadata-0" / "quorum-state"
        try:
            state = json.loads(path.read_text())
        except (OSError, json.JSONDecodeError):  # not there yet, or being replaced
            return (-1, None)
        return int(state["leaderEpoch"]), None if state["leaderId"] == _NO_LEADER else int(state["leaderId"])

    def _settings(self, nodes: list[Node], settings: Mapping[str, Any]) -> dict[str, Any]:
        ports, advertised = self.node.ports, self.node.advertised_ports
        return {
            "process.roles": "broker,controller",
            "node.id": self.broker_id,
            "controller.quorum.voters": ",".join(node.voter for node in nodes),
            "listeners": _addresses(ports, LISTENERS),
            "advertised.listeners": _addresses(advertised, LISTENERS),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in LISTENERS),
            "inter.broker.listener.name": "PEER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.log_folder,
            "auto.create.topics.enable": "false",
            "unclean.leader.election.enable": "false",
            **TIMING,
            **SIZE,
            **_durability(len(nodes)),
            **settings,
        }


def format_storage(brokers: Sequence[Broker]) -> str:
    """Prepare empty log folders for their first start; the id of the new cluster.

    Kafka's own tool does it for one node. With static voters, all that differs in the others is who they are: that
    saves two JVMs a cluster.
    """
    cluster_id, first = random_id(), brokers[0]
    command = java_command("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(first.configuration))
    answer = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
    if answer.returncode:
        msg = f"the storage of a lab broker could not be formatted:\n{answer.stdout}{answer.stderr}"
        raise LabError(msg)
    for broker in brokers[1:]:
        shutil.copy(first.log_folder / "bootstrap.checkpoint", broker.log_folder)
        identity = f"version=1\ncluster.id={cluster_id}\nnode.id={broker.broker_id}\ndirectory.id={random_id()}\n"
        (broker.log_folder / "meta.properties").write_text(identity)
    return cluster_id


def random_id() -> str:
    """A cluster or directory id, as Kafka writes them."""
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass  # the tools would take it for an option
    return text


def _durability(brokers: int) -> dict[str, int]:
    """Three copies, two of them in sync to accept a write, as far as there are brokers."""
    copies, in_sync = min(3, brokers), min(2, brokers)
    internal = {
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }
    return {**internal, "default.replication.factor": copies, "min.insync.replicas": in_sync}


def _addresses(ports: Mapping[str, int], names: Iterable[str]) -> str:
    return ",".join(f"{name}://127.0.0.1:{ports[name]}" for name in names)
