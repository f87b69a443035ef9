"""The demo's cluster and programs, and what may be done to them."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.pipes import Child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rtoanalytics_collectors.demo.pipes import Json, Message

_ANSWER_SECONDS = 20.0
_PACKAGE = "rtoanalytics_collectors.demo"


class ClusterChild:
    """The embedded cluster, in its process."""

    def __init__(self, folder: Path) -> None:
        """Start the process; `start` starts the cluster."""
        self._answers: queue.Queue[Message] = queue.Queue()
        self._child = Child(f"{_PACKAGE}.cluster", folder, self._answers.put)
        self._lock = threading.Lock()
        self.bootstrap_servers = ""

    def start(self) -> None:
        """Start the brokers, prove that they work, and create the topic with its leaders and coordinator."""
        self.bootstrap_servers = self._ask("start", brokers=len(flow.BROKERS))["bootstrap_servers"]
        self.do("topic_create", flow.TOPIC, flow.PARTITIONS, len(flow.BROKERS))

    def do(self, command: str, *arguments: str | int | list[int]) -> None:
        """Give one command of `MockCluster` and wait until it is done. Raises ClusterError when it is refused."""
        self._ask(command, arguments=list(arguments))

    def lead(self, leaders: dict[int, int]) -> None:
        """Make brokers the leaders of partitions: broker by partition."""
        for partition, broker in leaders.items():
            self.do("partition_set_leader", flow.TOPIC, partition, broker)

    def coordinate(self, broker: int) -> None:
        """Make a broker the coordinator of the group."""
        self.do("coordinator_set", flow.GROUP_ID, broker)

    def close(self) -> None:
        """End the cluster."""
        self._child.close()

    def _ask(self, command: str, **more: Json) -> Message:
        with self._lock:
            self._child.order(do=command, **more)
            try:
                answer = self._answers.get(timeout=_ANSWER_SECONDS)
            except queue.Empty:
                msg = f"the embedded cluster did not answer {command} within {_ANSWER_SECONDS} s"
                raise ClusterError(msg) from None
        if not answer["ok"]:
            raise ClusterError(answer["error"])
        return answer


class Stage:
    """The cluster, the producer and the consumer of one drill."""

    def __init__(self, cluster: ClusterChild, folder: Path, bundle: Path) -> None:
        self.cluster = cluster
        self.database = folder / "payments.sqlite"
        self._folder = folder
        self._bundle = bundle
        self.producer: Child | None = None
        self.consumer: Child | None = None

    def start_producer(
        self, on_report: Callable[[Message], None], records_per_second: float, delivery_timeout_ms: int
    ) -> None:
        """Start the payments application."""
        self.producer = Child(f"{_PACKAGE}.producer", self._folder, on_report)
        self.producer.order(
            do="start",
            bootstrap_servers=self.cluster.bootstrap_servers,
            bundle=str(self._bundle),
            records_per_second=records_per_second,
            delivery_timeout_ms=delivery_timeout_ms,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )

    def start_consumer(self, on_report: Callable[[Message], None], *, is_commit_first: bool) -> None:
        """Start the payments sink, or its replacement."""
        self.consumer = Child(f"{_PACKAGE}.consumer", self._folder, on_report)
        self.consumer.order(
            do="start",
            bootstrap_servers=self.cluster.bootstrap_servers,
            bundle=str(self._bundle),
            database=str(self.database),
            is_commit_first=is_commit_first,
        )

    def close(self) -> None:
        """Hang up on the programs; each finishes what it can and ends."""
        for child in (self.producer, self.consumer):
            if child is not None:
                child.close()


REQUEST_TIMEOUT_MS = 1_500
"""How long the producer waits for one answer before it tries again."""
