"""The programs of a flow that moves between two clusters: its producers and sinks, and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.kafka import KafkaCluster
from tests.lab.harness.processes import LabError, wait_until
from tests.lab.scenarios import flow as names
from tests.lab.scenarios.conduct import RECOVER_SECONDS, Worker
from tests.lab.scenarios.truth import read_journal

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from rtoanalytics_collectors.demo.pipes import Message
    from tests.lab.harness.kafka import LabCluster
    from tests.lab.scenarios.flow import Flow, Traffic
    from tests.lab.scenarios.truth import Settled

_IMPATIENT = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500, "socket.timeout.ms": 3_000}


class Producer:
    """One session of the payments producer, on one cluster."""

    def __init__(self, side: Side, prefix: str) -> None:
        """Start to send; record ids begin with `prefix`."""
        self.reported: Message = {"sent": 0, "outcomes": {}}
        self._journal = side.folder / f"journal-{prefix}.jsonl"
        self._worker = Worker("tests.lab.programs.producer", side.folder, self._heard)
        side.stack.callback(self._worker.close)
        self._worker.order(
            **side.order(f"payments-producer-{prefix.strip('-')}", side.flow.topic),
            journal=str(self._journal),
            id_prefix=prefix,
            records_per_second=side.traffic.records_per_second,
            settings=side.settings({"acks": "all", "enable.idempotence": True, **side.flow.producer_settings}),
        )

    @property
    def acked(self) -> int:
        """Records acknowledged, by its latest report."""
        return int(self.reported["outcomes"].get("acked", 0))

    @property
    def outstanding(self) -> int:
        """Records without an outcome, by its latest report."""
        outcomes: dict[str, int] = self.reported["outcomes"]
        return int(self.reported["sent"]) - sum(outcomes.values())

    def stop(self) -> None:
        """Let it end when every record has its outcome."""
        self._worker.order(do="stop")
        self._end()

    def abandon(self) -> None:
        """Hang up: it gives up what has no outcome yet."""
        self._worker.close()

    def settled(self) -> list[Settled]:
        """What its own callback was told."""
        return read_journal(self._journal)

    def _end(self) -> None:
        if not self._worker.wait(RECOVER_SECONDS):
            msg = f"a producer did not end within {RECOVER_SECONDS:.0f} s"
            raise LabError(msg)

    def _heard(self, message: Message) -> None:
        self.reported = message


class Sink:
    """One member of the sink's group, on one topic of one cluster."""

    def __init__(self, side: Side, topic: str, client_id: str) -> None:
        """Start to consume `topic` into the one database."""
        self._side = side
        self._topic = topic
        self._worker = Worker("tests.lab.programs.sink", side.folder, lambda _: None)
        side.stack.callback(self._worker.close)
        self._worker.order(
            **side.order(client_id, topic),
            database=str(side.database),
            commit="after",
            is_idempotent=False,
            settings=side.settings({"group.id": side.flow.group_id}),
        )

    def is_caught_up(self, most_records: int) -> bool:
        """Whether it has applied and committed all of its topic but at most so many records."""
        try:
            ends = self._side.log_ends(self._topic)
        except ClusterError:
            return False
        committed = self._side.committed(self._topic)
        return sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items()) <= most_records

    def stop(self) -> None:
        """Let it apply and commit what its topic holds now, and end."""
        wait_until(f"{self._topic} to be applied", lambda: self.is_caught_up(0), RECOVER_SECONDS)
        self._worker.order(do="stop", at={})
        if not self._worker.wait(RECOVER_SECONDS):
            msg = f"the sink of {self._topic} did not end within {RECOVER_SECONDS:.0f} s"
            raise LabError(msg)

    def kill(self) -> None:
        """SIGKILL."""
        self._worker.kill()


@dataclass(frozen=True)
class Side:
    """One cluster, as the flow's programs see it."""

    cluster: LabCluster
    bundle: Path
    flow: Flow
    traffic: Traffic
    folder: Path
    database: Path
    stack: ExitStack
    view: KafkaCluster

    def order(self, client_id: str, topic: str) -> dict[str, Any]:
        """What every program is told."""
        return {
            "bundle": str(self.bundle),
            "client_id": client_id,
            "cluster": self.cluster.name,
            "topic": topic,
            "id_header": names.ID_HEADER,
        }

    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings of a client."""
        return {"bootstrap.servers": self.cluster.bootstrap_servers, **_IMPATIENT, **settings}

    def partitions(self, topic: str) -> list[tuple[str, int]]:
        """The partitions of a topic of the flow, whichever its name."""
        return [(topic, partition) for partition in range(self.flow.partitions)]

    def log_ends(self, topic: str) -> dict[int, int]:
        """Log end by partition. Raises ClusterError when not every leader answers."""
        ends = self.view.log_ends(self.partitions(topic))
        if len(ends) < self.flow.partitions:
            msg = f"not every leader of {topic} on {self.cluster.name} answered"
            raise ClusterError(msg)
        return {partition: end.log_end_offset for (_, partition), end in ends.items()}

    def committed(self, topic: str) -> dict[int, int]:
        """Committed offset of the flow's group by partition; empty when nobody answers."""
        try:
            found = self.view.committed_offsets(self.flow.group_id, self.partitions(topic))
        except ClusterError:
            return {}
        return {partition: offset for (_, partition), offset in found.items()}


def view_of(cluster: LabCluster) -> KafkaCluster:
    """A cluster as collectors see it."""
    return KafkaCluster(cluster.name, cluster.bootstrap_servers)
