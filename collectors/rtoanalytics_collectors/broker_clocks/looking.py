"""The clocks of the brokers of one cluster, looked at one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.broker_clocks.known import KnownClocks, Stamp
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.commits.group_log import SOURCE
from rtoanalytics_collectors.commits.offsets_topic import partition_of
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.kafka import is_simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rtoanalytics_collectors.broker_clocks.stamps import Stamps
    from rtoanalytics_collectors.clocks import Clock, ClockReading
    from rtoanalytics_collectors.kafka.facts import Metadata
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

GROUP_PREFIX = "rtoanalytics-clock-"
_MOST_NAMES = 5_000


class MetadataSource(Protocol):
    """What is asked of the cluster: `KafkaCluster` has it."""

    name: str

    def metadata(self, topics: Iterable[str]) -> Metadata:
        """Brokers, and the partitions of `topics`."""
        ...


class BrokerClocks:
    """This host's clock against each broker's, as rows of `metrics`, and for the heartbeats of other collectors.

    A broker is measured while it leads a partition of `__consumer_offsets`. A look that measured at least one is a
    look; the brokers that did not answer have no row, and keep their last reading with an error that grows.
    """

    tables = ("metrics",)

    def __init__(
        self,
        cluster: MetadataSource,
        stamps: Callable[[str, int], Stamps],
        known: KnownClocks | None = None,
        clock: Clock = now_us,
    ) -> None:
        """`stamps` makes what commits for a group whose records are in a partition; `known` is shared with others."""
        self.target = cluster.name
        self._cluster = cluster
        self._stamps = stamps
        self._known = known or KnownClocks()
        self._clock = clock
        self._groups: Mapping[int, str] = {}
        self._made: dict[str, Stamps] = {}

    def collect(self) -> Sample:
        """Look once. Raises TransientError when no broker could be measured, ClusterError when that is refused."""
        leaders = self._leaders()
        self._groups = clock_groups(leaders, self._groups)
        stamps, failures = self._measured(len(leaders))
        after = self._leaders()
        places = {broker: partition_of(group, len(leaders)) for broker, group in self._groups.items()}
        stamps = {broker: stamp for broker, stamp in stamps.items() if after.get(places[broker]) == broker}
        if not stamps:
            raise self._failure(failures)
        self._known.learn(stamps)
        return {"metrics": [row for broker, stamp in sorted(stamps.items()) for row in self._rows(broker, stamp)]}

    def readings(self) -> dict[int, ClockReading]:
        """What is known now, by broker id."""
        return self._known.readings()

    def reading(self) -> ClockReading | None:
        """The reading that reaches furthest from zero, for the cluster."""
        return self._known.widest()

    def close(self) -> None:
        """Close the connections."""
        while self._made:
            self._made.popitem()[1].close()

    def _leaders(self) -> dict[int, int | None]:
        """The leader of each partition of the topic of commits."""
        metadata = self._cluster.metadata([SOURCE])
        if is_simulated(metadata.cluster_id):
            msg = f'cluster "{self.target}" is simulated: it stamps no commits, so its clock cannot be measured'
            raise ClusterError(msg)
        if not metadata.partitions:
            msg = f'cluster "{self.target}": {SOURCE} is not there (yet), or may not be described'
            raise TransientError(msg)
        return {partition.partition: partition.leader for partition in metadata.partitions}

    def _measured(self, partitions: int) -> tuple[dict[int, Stamp], list[ClusterError]]:
        stamps: dict[int, Stamp] = {}
        failures: list[ClusterError] = []
        for broker, group_id in self._groups.items():
            try:
                taken = self._taker(group_id, partitions).take()
                stamps[broker] = min(taken, key=lambda stamp: stamp.error_ms)
            except ClusterError as error:
                failures.append(error)
        return stamps, failures

    def _taker(self, group_id: str, partitions: int) -> Stamps:
        if group_id not in self._made:
            self._made[group_id] = self._stamps(group_id, partition_of(group_id, partitions))
        return self._made[group_id]

    def _failure(self, failures: Iterable[ClusterError]) -> ClusterError:
        """What to say of a look without a measurement: a refusal before all, which no other look will change."""
        told = sorted(failures, key=lambda error: isinstance(error, TransientError))
        return told[0] if told else TransientError(f'cluster "{self.target}": leaders of {SOURCE} are changing')

    def _rows(self, broker: int, stamp: Stamp) -> list[Row]:
        labels = [("broker", str(broker)), ("cluster", self.target)]
        row = {"source": "rto collect", "labels": labels, "observed_at": self._clock()}
        values = {"clock_offset_ms": stamp.offset_ms, "clock_error_ms": stamp.error_ms}
        return [{**row, "name": name, "value": value} for name, value in values.items()]


def clock_groups(leaders: Mapping[int, int | None], kept: Mapping[int, str]) -> dict[int, str]:
    """A group for each broker that leads a partition of commits, by broker id; `kept` ones while they are right.

    >>> clock_groups({0: 1, 1: 2, 2: None}, {})
    {1: 'rtoanalytics-clock-1', 2: 'rtoanalytics-clock-2'}
    """
    groups = {broker: name for broker, name in kept.items() if leaders.get(partition_of(name, len(leaders))) == broker}
    missing = {leader for leader in leaders.values() if leader is not None} - groups.keys()
    for name in (f"{GROUP_PREFIX}{number}" for number in range(_MOST_NAMES)):
        if not missing:
            break
        leader = leaders.get(partition_of(name, len(leaders)))
        if leader is not None and leader in missing:
            groups[leader] = name
            missing.discard(leader)
    return groups
