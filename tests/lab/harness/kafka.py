"""A real Kafka cluster on the loopback interface, and everything that can be done to it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import ElectionType, KafkaException
from confluent_kafka import TopicPartition as ClientTopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its __all__

from tests.lab.harness.broker import LISTENERS, Broker, Node, format_storage
from tests.lab.harness.ports import free_ports
from tests.lab.harness.processes import LabError, Program, wait_until
from tests.lab.harness.proxy import Network, Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ClientPartition = Any
"""A partition as the client's metadata describes it."""
START_SECONDS = 90.0
SETTLE_SECONDS = 60.0
_ASK_SECONDS = 2.0
_WHOLE_SECONDS = 0.5
"""A broker that was paused says for a moment how things were before; the harness cannot choose whom it asks."""
_PEER_LISTENERS = ("CONTROLLER", "PEER")
_PROXIED_LISTENERS = ("PROXIED", "HARNESS")
_QUIET = {"log_level": 0, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250, "socket.timeout.ms": 2_000}


class LabCluster:
    """Brokers 1, 2, … in KRaft combined mode. Use as a context manager: whatever happens, nothing is left running.

    Clients that use `bootstrap_servers` reach the brokers directly; those that use `proxied_bootstrap_servers` go
    through one proxy a broker. With `has_proxied_peers` brokers and controllers reach each other through proxies
    too, so that a broker can be cut off from its peers.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        brokers: int = 3,
        *,
        has_proxied_peers: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Lay out a cluster in `folder`; `settings` are broker settings beside the lab's own."""
        self.name = name
        self.folder = folder
        self._network = Network()
        self._proxied = _PROXIED_LISTENERS + (_PEER_LISTENERS if has_proxied_peers else ())
        self._nodes = _lay_out(brokers, self._proxied)
        self.brokers = {
            node.broker_id: Broker(node, folder / f"broker-{node.broker_id}", self._nodes, settings or {})
            for node in self._nodes
        }
        self.proxies = {
            node.broker_id: {
                listener: Proxy(self._network, node.advertised_ports[listener], node.ports[listener])
                for listener in self._proxied
            }
            for node in self._nodes
        }
        self.cluster_id = ""
        self._whole_since: float | None = None
        self._admin = AdminClient({**_QUIET, "bootstrap.servers": ",".join(n.harness_address for n in self._nodes)})

    @property
    def bootstrap_servers(self) -> str:
        """Every broker, reached directly."""
        return ",".join(node.address for node in self._nodes)

    @property
    def proxied_bootstrap_servers(self) -> str:
        """Every broker, reached through its proxy."""
        return ",".join(node.proxied_address for node in self._nodes)

    def start(self) -> Self:
        """Format the storage, start every broker at once and wait until the cluster takes work."""
        self.cluster_id = format_storage(list(self.brokers.values()))
        for broker in self.brokers.values():
            broker.start()
        wait_until(f"cluster {self.name} to start", self._is_whole, START_SECONDS, *self._programs())
        return self

    def close(self) -> None:
        """Kill every broker. Safe to call twice."""
        for broker in self.brokers.values():
            if broker.program is not None:
                broker.program.close()
        for proxies in self.proxies.values():
            while proxies:
                proxies.popitem()[1].close()
        self._network.close()

    def kill(self, broker_id: int) -> None:
        """`kill -9` a broker."""
        self.brokers[broker_id].running.kill()

    def restart(self, broker_id: int) -> None:
        """Start a killed broker again on its own log and wait until the cluster names it."""
        broker = self.brokers[broker_id]
        broker.start()
        wait_until(f"broker {broker_id} to come back", lambda: broker.has_started, START_SECONDS, broker.running)

    def pause(self, broker_id: int) -> None:
        """SIGSTOP a broker: connections stay, nothing answers."""
        self.brokers[broker_id].running.pause()

    def resume(self, broker_id: int) -> None:
        """SIGCONT a broker."""
        self.brokers[broker_id].running.resume()

    def delay(self, broker_id: int, seconds: float) -> None:
        """Make the way from proxied clients to a broker slow: `seconds` in each direction."""
        self.proxies[broker_id]["PROXIED"].delay(seconds)

    def partition(self, broker_id: int, *, from_clients: bool = True, from_peers: bool = True) -> None:
        """Cut a broker off: from proxied clients, and from its peers (both directions; needs proxied peers)."""
        if from_clients:
            self.proxies[broker_id]["PROXIED"].cut()
        if from_peers:
            self._require_proxied_peers()
            self.proxies[broker_id]["HARNESS"].cut()
            for listener in _PEER_LISTENERS:
                for other, proxies in self.proxies.items():
                    proxies[listener].cut(None if other == broker_id else broker_id)

    def heal(self) -> None:
        """Undo every delay and partition."""
        for proxies in self.proxies.values():
            for proxy in proxies.values():
                proxy.heal()

    def alive(self) -> set[int]:
        """Brokers that the cluster's metadata names."""
        return set(self._admin.list_topics(timeout=_ASK_SECONDS).brokers) if self._answers() else set()

    def controller(self) -> int:
        """The active controller, as the controllers themselves have written down their latest election."""
        seen: list[int] = []

        def is_known() -> bool:
            views = [broker.quorum_view() for broker in self.brokers.values() if broker.is_running]
            _, leader = max(views, key=lambda view: view[0], default=(-1, None))
            seen.append(leader or 0)
            return leader is not None and self.brokers[leader].is_running

        wait_until("an active controller", is_known, SETTLE_SECONDS)
        return seen[-1]

    def leader(self, topic: str, partition: int) -> int | None:
        """Leader of a partition; None while it has none."""
        found = self._partition(topic, partition).leader
        return found if found >= 0 else None

    def in_sync(self, topic: str, partition: int) -> set[int]:
        """In-sync replicas of a partition."""
        return set(self._partition(topic, partition).isrs)

    def create_topic(self, name: str, partitions: int = 3, replication: int = 3, **configs: object) -> str:
        """Create a topic and wait until every replica of it is in sync; its name.

        The first leader of partition p is broker p % brokers + 1. Settings are named with underscores for dots.
        """
        ids = sorted(self.brokers)
        copies = min(replication, len(ids))
        assignment = [[ids[(p + copy) % len(ids)] for copy in range(copies)] for p in range(partitions)]
        config = {key.replace("_", "."): _setting(value) for key, value in configs.items()}
        topic = NewTopic(name, partitions, replica_assignment=assignment, config=config)
        for future in self._admin.create_topics([topic], operation_timeout=SETTLE_SECONDS).values():
            future.result()
        wait_until(f"topic {name} to be in sync", lambda: self._is_in_sync(name), SETTLE_SECONDS, *self._programs())
        return name

    def elect_unclean(self, topic: str, partition: int) -> int:
        """Let a replica that is not in sync lead a partition that has no leader; the new leader."""
        wanted = [ClientTopicPartition(topic, partition)]
        with contextlib.suppress(KafkaException):  # not needed: somebody leads already
            self._admin.elect_leaders(ElectionType.UNCLEAN, wanted).result()
        wait_until(
            f"a leader of {topic}-{partition}", lambda: self.leader(topic, partition) is not None, SETTLE_SECONDS
        )
        return self.leader(topic, partition) or 0

    def repair(self) -> None:
        """Heal, resume and restart whatever a scenario has hurt, and wait until every replica is in sync."""
        self.heal()
        for broker in self.brokers.values():
            if broker.is_running:
                broker.running.resume()
            else:
                broker.start()
        self._whole_since = None
        wait_until(f"cluster {self.name} to be whole", self._is_whole, START_SECONDS, *self._programs())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _programs(self) -> list[Program]:
        return [broker.program for broker in self.brokers.values() if broker.program is not None]

    def _answers(self) -> bool:
        try:
            self._admin.list_topics(timeout=_ASK_SECONDS)
        except KafkaException:
            return False
        return True

    def _is_in_sync(self, topic: str) -> bool:
        with contextlib.suppress(KafkaException):
            found = self._admin.list_topics(topic, timeout=_ASK_SECONDS).topics[topic]
            partitions = found.partitions.values()
            return bool(partitions) and all(p.leader >= 0 and len(p.isrs) == len(p.replicas) for p in partitions)
        return False

    def _is_whole(self) -> bool:
        """Whether every broker works and every replica is in sync, in whatever any broker has said for a while."""
        is_whole = all(broker.has_started for broker in self.brokers.values()) and self._looks_whole()
        if not is_whole:
            self._whole_since = None
        elif self._whole_since is None:
            self._whole_since = time.monotonic()
        return self._whole_since is not None and time.monotonic() - self._whole_since >= _WHOLE_SECONDS

    def _looks_whole(self) -> bool:
        with contextlib.suppress(KafkaException):
            found = self._admin.list_topics(timeout=_ASK_SECONDS)
            partitions = [p for topic in found.topics.values() for p in topic.partitions.values()]
            is_in_sync = all(p.leader >= 0 and len(p.isrs) == len(p.replicas) for p in partitions)
            return set(found.brokers) == set(self.brokers) and is_in_sync
        return False

    def _partition(self, topic: str, partition: int) -> ClientPartition:
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(KafkaException, KeyError):
                return self._admin.list_topics(topic, timeout=_ASK_SECONDS).topics[topic].partitions[partition]
        msg = f"cluster {self.name} said nothing of {topic}-{partition} for {SETTLE_SECONDS:.0f} s"
        raise LabError(msg)

    def _require_proxied_peers(self) -> None:
        if "PEER" not in self._proxied:
            msg = f"brokers of cluster {self.name} reach each other directly; start it with has_proxied_peers"
            raise LabError(msg)


def _lay_out(brokers: int, proxied: tuple[str, ...]) -> list[Node]:
    ports = iter(free_ports(brokers * (len(LISTENERS) + len(proxied))))
    nodes = []
    for broker_id in range(1, brokers + 1):
        own = {listener: next(ports) for listener in LISTENERS}
        nodes.append(Node(broker_id, own, own | {listener: next(ports) for listener in proxied}))
    return nodes


def _setting(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
