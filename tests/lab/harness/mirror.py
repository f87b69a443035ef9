"""MirrorMaker 2 between clusters of the lab: a program of its own, with everything refreshed every second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.lab.harness.jvm import java_command
from tests.lab.harness.processes import LabError, Program, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster

START_SECONDS = 120.0
OFFSET_LAG_MAX = 10
"""A mirrored partition's offsets are written down at the latest when they have moved by this many records."""
_MAIN = "org.apache.kafka.connect.mirror.MirrorMaker"
_POLICY = "replication.policy.class"
_IDENTITY = "org.apache.kafka.connect.mirror.IdentityReplicationPolicy"
_HEAP_MEGABYTES = 256
_ASK_SECONDS = 5.0
_INTERNAL_TOPICS = (
    "",
    "checkpoints.topic.",
    "heartbeats.topic.",
    "offset-syncs.topic.",
    "offset.storage.",
    "config.storage.",
    "status.storage.",
)


class MirrorMaker:
    """One MirrorMaker 2. Use as a context manager: it is gone afterwards.

    Topics get the name of their source in front (`primary.payments`) unless it `keeps_names`, and committed offsets of
    the groups are translated once a second into commits on the target, as long as the group does not run there.
    """

    def __init__(
        self,
        clusters: Sequence[LabCluster],
        flows: Iterable[tuple[str, str]],
        folder: Path,
        *,
        topics: str,
        groups: str,
        keeps_names: bool = False,
    ) -> None:
        """`flows` are pairs of source and target; `topics` and `groups` are regular expressions of what is mirrored."""
        self._folder = folder
        self._clusters = {cluster.name: cluster for cluster in clusters}
        self._flows = tuple(flows)
        self._program: Program | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "mirror.properties"
        settings = self._settings(topics, groups) | ({_POLICY: _IDENTITY} if keeps_names else {})
        self._file.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()), encoding="utf-8")

    @property
    def program(self) -> Program:
        """The running program."""
        if self._program is None:
            msg = "MirrorMaker 2 is not started"
            raise LabError(msg)
        return self._program

    def start(self) -> Self:
        """Start it. It takes some seconds until it mirrors: `wait_for_topic`."""
        self._program = Program(
            "mirror", java_command(_MAIN, str(self._file), heap_megabytes=_HEAP_MEGABYTES), self._folder
        )
        return self

    def wait_for_topic(self, cluster: str, topic: str) -> None:
        """Wait until a mirrored topic is on a cluster."""
        admin = AdminClient({"bootstrap.servers": self._clusters[cluster].bootstrap_servers, "log_level": 0})

        def is_there() -> bool:
            try:
                return topic in admin.list_topics(timeout=_ASK_SECONDS).topics
            except KafkaException:
                return False

        wait_until(f"topic {topic} on {cluster}", is_there, START_SECONDS, self.program)

    def kill(self) -> None:
        """`kill -9`."""
        self.program.kill()

    def close(self) -> None:
        """Kill it. Safe to call twice."""
        if self._program is not None:
            self._program.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _settings(self, topics: str, groups: str) -> dict[str, object]:
        addresses = {f"{name}.bootstrap.servers": cluster.bootstrap_servers for name, cluster in self._clusters.items()}
        settings: dict[str, object] = {"clusters": ", ".join(self._clusters), **addresses}
        settings |= {f"{prefix}replication.factor": 1 for prefix in _INTERNAL_TOPICS}
        settings |= {
            "tasks.max": 1,
            "offset.storage.partitions": 1,
            "status.storage.partitions": 1,
            "offset.flush.interval.ms": 1_000,
            "sync.topic.acls.enabled": False,
            "emit.heartbeats.enabled": False,
        }
        for source in self._clusters:
            for target in self._clusters:
                if source != target:
                    settings[f"{source}->{target}.enabled"] = (source, target) in self._flows
        for source, target in self._flows:
            settings |= {f"{source}->{target}.{name}": value for name, value in _flow(topics, groups).items()}
        return settings


def _flow(topics: str, groups: str) -> dict[str, object]:
    return {
        "topics": topics,
        "groups": groups,
        "emit.checkpoints.interval.seconds": 1,
        "sync.group.offsets.enabled": True,
        "sync.group.offsets.interval.seconds": 1,
        "refresh.topics.interval.seconds": 1,
        "refresh.groups.interval.seconds": 1,
        "offset.lag.max": OFFSET_LAG_MAX,
        "consumer.auto.offset.reset": "earliest",
    }
