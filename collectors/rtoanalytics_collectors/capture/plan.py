"""Which collectors follow from a definition: those of every cluster that can be reached, and those that it lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.capture.clusters import on_cluster
from rtoanalytics_collectors.capture.connections import Gate
from rtoanalytics_collectors.capture.downstreams import of_downstream
from rtoanalytics_collectors.capture.listed import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.drill import Drill
    from rtoanalytics_collectors.capture.environment import Environment
    from rtoanalytics_collectors.capture.planned import Planned


class Plan:
    """The collectors of one drill. Nothing is connected to before they run.

    Raises UsageError for a definition that gives nothing to capture, or says what cannot be.
    """

    def __init__(self, drill: Drill, environment: Environment, interval_seconds: float | None = None) -> None:
        """`interval_seconds` between two looks; default: what the definition says."""
        self.drill = drill
        self.environment = environment
        self.interval_seconds = interval_seconds or drill.collect.interval_seconds
        connections = {name: environment.connection(drill, name) for name in drill.clusters}
        self.gates = {name: Gate(connection) for name, connection in connections.items()}
        environment.optional(drill.collect.record_id.hash_key, "drill.yaml: collect.record_id.hash_key")
        environment.taken_missing()  # a key that is not set is told by the collector that needs it
        self.collectors = tuple(self._with_missing(planned) for planned in self._collectors())
        if not self.collectors:
            msg = (
                "drill.yaml gives nothing to capture: no cluster has bootstrap_servers, and collect lists nothing; "
                "write bootstrap_servers under clusters, or set RTO_CLUSTER_<NAME>_BOOTSTRAP_SERVERS"
            )
            raise UsageError(msg)

    def close(self) -> None:
        """Close the connections to the clusters."""
        for gate in self.gates.values():
            gate.close()

    def _with_missing(self, planned: Planned) -> Planned:
        """The collector with the variables that it and its clusters need and do not have."""
        of_clusters = [line for name in planned.clusters for line in self.gates[name].connection.missing]
        return replace(planned, missing=(*self.environment.taken_missing(), *of_clusters))

    def _collectors(self) -> Iterator[Planned]:
        for gate in self.gates.values():
            if gate.connection.bootstrap_servers:
                yield from on_cluster(self.drill, gate, self.interval_seconds)
        for name, source in self.drill.collect.downstreams.items():
            yield of_downstream(self, name, source)
        yield from listed(self)
