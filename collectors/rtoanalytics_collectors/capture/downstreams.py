"""Where the effects of a downstream are read: a database, a Kafka topic, or files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics_collectors.applied.files import FilesApplied
from rtoanalytics_collectors.applied.layout import Layout
from rtoanalytics_collectors.applied.topic import TopicApplied
from rtoanalytics_collectors.capture.identity import record_id_of
from rtoanalytics_collectors.capture.planned import Planned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rtoanalytics.drill.collection import DownstreamSource
    from rtoanalytics_collectors.capture.plan import Plan
    from rtoanalytics_collectors.sampling import Collector


def of_downstream(plan: Plan, name: str, source: DownstreamSource) -> Planned:
    """The collector of one downstream. Raises UsageError for a column that `applied` does not have."""
    if source.database is not None:
        connects, make = _database(plan, name, source)
    elif source.topic is not None:
        connects, make = _topic(plan, name, source)
    else:
        connects, make = _files(plan, name, source)
    clusters = (source.cluster,) if source.topic is not None and source.cluster is not None else ()
    return Planned("applied", name, ("applied",), connects, make, clusters=clusters)


def _database(plan: Plan, name: str, source: DownstreamSource) -> tuple[str, Callable[[], Collector]]:
    where = f"drill.yaml: collect.downstreams.{name}"
    uri = plan.environment.text(source.database or "", f"{where}.database")
    query = plan.environment.optional(source.query, f"{where}.query")
    layout = _layout(source)

    def make() -> Collector:
        # Imported here: a capture without a database needs no driver.
        from rtoanalytics_collectors.applied.adbc import POSTGRESQL, AdbcApplied, Source  # noqa: PLC0415

        read = Source(source.order or "", source.table, query)
        return AdbcApplied(name, uri, read, layout, overlap=source.overlap, driver=source.driver or POSTGRESQL)

    what = f"table {source.table}" if source.table else "a query"
    return f"{what}, {source.driver or 'PostgreSQL'}", make


def _topic(plan: Plan, name: str, source: DownstreamSource) -> tuple[str, Callable[[], Collector]]:
    gate, topic = plan.gates[source.cluster or ""], source.topic or ""
    record_id = record_id_of(plan) if plan.drill.collect.record_id.is_given else None

    def follow(next_offsets: Mapping[int, int] | None) -> Any:  # noqa: ANN401  (a Tail)
        return gate.tail(topic, start=next_offsets or "beginning")

    def make() -> Collector:
        return TopicApplied(name, follow, source.source_headers, record_id=record_id, constants=source.constants)

    make()  # refuses columns now, not when the cluster answers
    return f"topic {topic}, {gate.connection.described()}", make


def _files(plan: Plan, name: str, source: DownstreamSource) -> tuple[str, Callable[[], Collector]]:
    pattern = plan.environment.text(source.files or "", f"drill.yaml: collect.downstreams.{name}.files")
    layout = _layout(source)
    return f"files {source.files}", lambda: FilesApplied(name, pattern, layout)


def _layout(source: DownstreamSource) -> Layout:
    constants: dict[str, Any] = dict(source.constants)
    if source.cluster is not None and "cluster" not in source.columns:
        constants.setdefault("cluster", source.cluster)
    return Layout(source.columns, constants, source.instants)
