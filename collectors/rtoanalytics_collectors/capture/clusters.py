"""What is captured from every cluster of a drill that has bootstrap_servers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rtoanalytics_collectors.broker_clocks import GROUP_PREFIX, BrokerClocks, Clocked, GroupStamps, KnownClocks
from rtoanalytics_collectors.capture.planned import Planned
from rtoanalytics_collectors.commits.choosing import choose
from rtoanalytics_collectors.partitions import Partitions, TopicPartitions, cluster_info
from rtoanalytics_collectors.watermarks import Watermarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rtoanalytics.drill import Drill
    from rtoanalytics_collectors.capture.connections import Gate
    from rtoanalytics_collectors.kafka import KafkaCluster
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

INFO_SECONDS = 30.0
CLOCK_SECONDS = 10.0


def on_cluster(drill: Drill, gate: Gate, interval_seconds: float) -> Iterator[Planned]:
    """The collectors of one cluster."""
    name, connects = gate.connection.cluster, gate.connection.described()
    topics = physical_topics(drill, name, drill.topic_names())
    made = partial(Planned, target=name, connects=connects, clusters=(name,))
    known = KnownClocks()
    states = ("partition_states", "broker_states")
    yield made("watermarks", tables=("watermarks",), make=lambda: Clocked(_watermarks(gate, topics), known))
    yield made("partitions", tables=states, make=lambda: Clocked(Partitions(gate.open(), topics), known))
    info = ("cluster_info",)
    yield made("cluster_info", tables=info, make=lambda: ClusterInfo(gate.open()), interval_seconds=INFO_SECONDS)
    if drill.collect.broker_clocks:
        yield _broker_clocks(gate, known)
    for group_id in drill.group_ids():
        yield _commits(drill, gate, group_id, interval_seconds)


def physical_topics(drill: Drill, cluster: str, topics: Iterable[str]) -> tuple[str, ...]:
    """The names of topics on a cluster."""
    names = drill.clusters[cluster].topic_names
    return tuple(dict.fromkeys(name for topic in topics for name in names.get(topic, (topic,))))


class ClusterInfo:
    """What a cluster is: a row when it is first seen, and whenever it has become another cluster."""

    tables = ("cluster_info",)

    def __init__(self, cluster: KafkaCluster) -> None:
        self.target = cluster.name
        self._cluster = cluster
        self._last: Row = {}

    def collect(self) -> Sample:
        """Look once. Raises TransientError when no broker answers."""
        row = cluster_info(self._cluster)
        known = {name: value for name, value in row.items() if name != "observed_at"}
        is_new, self._last = known != self._last, known
        return {"cluster_info": [row] if is_new else []}


def _commits(drill: Drill, gate: Gate, group_id: str, interval_seconds: float) -> Planned:
    cluster = gate.connection.cluster
    topics = physical_topics(drill, cluster, drill.topics_of_group(group_id))
    return Planned(
        "commits",
        group_id,
        ("commits", "group_states", "events"),
        gate.connection.described(),
        lambda: choose(
            gate.open(),
            group_id,
            TopicPartitions(gate.open(), topics),
            drill.collect.commits,
            interval_seconds,
        ),
        on_cluster=cluster,
        clusters=(cluster,),
    )


def _broker_clocks(gate: Gate, known: KnownClocks) -> Planned:
    connection = gate.connection
    name = connection.cluster

    def make() -> BrokerClocks:
        stamps = partial(GroupStamps, name, gate.bootstrap_servers, connection.settings)
        return BrokerClocks(gate.open(), stamps, known)

    return Planned(
        "metrics",
        name,
        ("metrics",),
        f"commits of groups {GROUP_PREFIX}…, {connection.described()}",
        make,
        CLOCK_SECONDS,
        label=f"clocks-{name}",
        clusters=(name,),
    )


def _watermarks(gate: Gate, topics: tuple[str, ...]) -> Watermarks:
    return Watermarks(gate.open(), TopicPartitions(gate.open(), topics))
