"""`rto collect log`: every partition of the flow read back, from where the capture began to the end of its log."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.drill import load_drill
from rtoanalytics.errors import ClusterError, UsageError, nearest
from rtoanalytics_collectors.bundle import refuse_sealed, refuse_without_drill
from rtoanalytics_collectors.capture.captured_starts import CapturedStarts
from rtoanalytics_collectors.capture.clusters import physical_topics
from rtoanalytics_collectors.capture.environment import Environment
from rtoanalytics_collectors.capture.identity import record_id_of
from rtoanalytics_collectors.capture.plan import Plan
from rtoanalytics_collectors.capture.planned import host_name, slug
from rtoanalytics_collectors.capture.secrets import scrubbed
from rtoanalytics_collectors.failures import TransientError
from rtoanalytics_collectors.log_records import ROTATE_BYTES, LogReader
from rtoanalytics_collectors.partitions import TopicPartitions
from rtoanalytics_collectors.spool import Spool
from rtoanalytics_collectors.spool.recovery import recover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rtoanalytics_collectors.capture.connections import Gate
    from rtoanalytics_collectors.kafka import KafkaCluster, TopicPartition
    from rtoanalytics_collectors.log_records import ScanProgress

ATTEMPTS = 3
"""Times that a partition which stops answering is read."""
_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class PartitionRead:
    """What became of one partition."""

    cluster: str
    topic: str
    partition: int
    from_offset: int
    records: int
    failure: str | None


def read_back(
    bundle: Path,
    clusters: Sequence[str] = (),
    *,
    has_fences: bool = False,
    records_per_second: float | None = None,
    host: str | None = None,
    on_progress: Callable[[str, ScanProgress], object] | None = None,
) -> dict[str, Any]:
    """Read the topics of the flow back on `clusters` (default: all with bootstrap_servers).

    What was read, as `rto collect log --json` prints it: a partition that could not be read has a `failure`, and the
    others are read all the same. Raises UsageError for a cluster that the drill does not have, a rate that is not
    above zero, and a folder that takes no evidence. No message repeats a secret.
    """
    refuse_without_drill(bundle)
    refuse_sealed(bundle)
    if records_per_second is not None and not records_per_second > 0:
        msg = f"--rate is {records_per_second:g}; allowed are records a second above 0"
        raise UsageError(msg)
    environment = Environment(os.environ)
    with scrubbed(environment.secrets):
        plan = Plan(load_drill(bundle / "drill.yaml"), environment)
        gates = _chosen(plan, clusters)
        recover(bundle)
        reading = _Reading(plan, bundle, host_name(host), on_progress, has_fences, records_per_second)
        began = time.monotonic()
        try:
            partitions = [read for gate in gates for read in reading.cluster(gate)]
        finally:
            plan.close()
    return {
        "bundle": bundle.as_posix(),
        "seconds": round(time.monotonic() - began, 1),
        "records": sum(read.records for read in partitions),
        "partitions": [
            asdict(read) | {"failure": read.failure and environment.secrets.scrub(read.failure)} for read in partitions
        ],
    }


@dataclass(frozen=True)
class _Reading:
    """How the clusters of one drill are read."""

    plan: Plan
    bundle: Path
    host: str
    on_progress: Callable[[str, ScanProgress], object] | None
    has_fences: bool
    records_per_second: float | None

    def cluster(self, gate: Gate) -> Iterator[PartitionRead]:
        """Read one cluster; one result a partition, or a single one for a cluster that cannot be read."""
        name = gate.connection.cluster
        topics = physical_topics(self.plan.drill, name, self.plan.drill.topic_names())
        try:
            cluster = gate.open()
            partitions = TopicPartitions(cluster, topics)()
        except ClusterError as error:
            yield PartitionRead(name, ", ".join(topics), 0, 0, 0, str(error))
            return
        starts = CapturedStarts(self.bundle)
        place = f"{slug(name)}.{self.host}"
        with (
            Spool(self.bundle, "log_records", f"log_records-{place}", rotate_bytes=ROTATE_BYTES) as records,
            Spool(self.bundle, "log_scans", f"log_scans-{place}") as scans,
        ):
            reader = self._reader(cluster, records, scans)
            for key in partitions:
                yield self._partition(reader, name, key, starts.of(name, *key))

    def _reader(self, cluster: KafkaCluster, records: Spool, scans: Spool) -> LogReader:
        on_progress = self.on_progress
        return LogReader(
            cluster,
            records,
            scans,
            record_id_of(self.plan),
            progress=None if on_progress is None else lambda progress: on_progress(cluster.name, progress),
            records_per_second=self.records_per_second,
        )

    def _partition(self, reader: LogReader, cluster: str, key: TopicPartition, from_offset: int) -> PartitionRead:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                records = reader.scan({key: from_offset}, has_fences=self.has_fences)
                return PartitionRead(cluster, *key, from_offset, records, None)
            except TransientError as error:
                failure = str(error)
            except ClusterError as error:
                failure = str(error)
                break
            if attempt < ATTEMPTS:
                time.sleep(_PAUSE_SECONDS)
        return PartitionRead(cluster, *key, from_offset, 0, failure)


def _chosen(plan: Plan, clusters: Sequence[str]) -> list[Gate]:
    for name in clusters:
        if name not in plan.gates:
            known = ", ".join(plan.gates)
            msg = f'--cluster: the drill has no cluster "{name}"{nearest(name, plan.gates)}; it has {known}'
            raise UsageError(msg)
    gates = [plan.gates[name] for name in clusters or plan.gates]
    missing = dict.fromkeys(line for gate in gates for line in gate.connection.missing)
    if missing:
        raise UsageError("\n".join(missing) + "\nset what is missing, or name another cluster with --cluster")
    return [gate for gate in gates if clusters or gate.connection.bootstrap_servers]
