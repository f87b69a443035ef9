"""What a definition lists under `collect` beside downstreams: Connect, client statistics, metrics, mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.capture.clusters import physical_topics
from rtoanalytics_collectors.capture.planned import Planned, refuse_to_sample
from rtoanalytics_collectors.connectors import ConnectRest, ConnectStatusTopic
from rtoanalytics_collectors.connectors.progress import SinkProgress
from rtoanalytics_collectors.event_listener import EventListener
from rtoanalytics_collectors.http_get import Endpoint
from rtoanalytics_collectors.metrics import MetricsEndpoint, RangeQueries, load_mapping
from rtoanalytics_collectors.mirror import Checkpoints, OffsetSyncs, checkpoints_topic, offset_syncs_topic
from rtoanalytics_collectors.partitions import TopicPartitions
from rtoanalytics_collectors.statistics_files import ClientStatsFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.drill.collection import ConnectWorker, EventEndpoint, MetricsSource, Mirror, StatisticsFiles
    from rtoanalytics_collectors.capture.plan import Plan
    from rtoanalytics_collectors.sampling import Collector

EVENTS_SECONDS = 1.0


def listed(plan: Plan) -> Iterator[Planned]:
    """The collectors that the definition lists. Raises UsageError for one that cannot be what it says."""
    collect = plan.drill.collect
    for index, worker in enumerate(collect.connect):
        yield _connect(plan, worker, f"drill.yaml: collect.connect[{index}]")
    for index, files in enumerate(collect.client_stats):
        yield _client_stats(plan, files, f"drill.yaml: collect.client_stats[{index}]")
    for index, source in enumerate(collect.metrics):
        yield _metrics(plan, source, f"drill.yaml: collect.metrics[{index}]")
    for mirror in collect.mirrors:
        yield from _mirror(plan, mirror)
    if collect.events is not None:
        yield _events(plan, collect.events)


def _connect(plan: Plan, worker: ConnectWorker, where: str) -> Planned:
    tables = ("connector_states",)
    if worker.status_topic is not None and worker.cluster is not None:
        connects = f"topic {worker.status_topic}, {plan.gates[worker.cluster].connection.described()}"
        topic, clusters = worker.status_topic, (worker.cluster,)
        return Planned("connectors", topic, tables, connects, lambda: _status_topic(plan, worker), clusters=clusters)
    url = plan.environment.text(worker.url or "", f"{where}.url")
    rest = ConnectRest(
        url,
        worker.connectors,
        username=plan.environment.optional(worker.username, f"{where}.username"),
        password=plan.environment.optional(worker.password, f"{where}.password"),
        token=plan.environment.optional(worker.token, f"{where}.token"),
    )
    return Planned("connectors", rest.target, tables, worker.url or "", lambda: rest)


def _status_topic(plan: Plan, worker: ConnectWorker) -> Collector:
    gate = plan.gates[worker.cluster or ""]
    topics = physical_topics(plan.drill, gate.connection.cluster, plan.drill.topic_names())
    progress = SinkProgress(gate.open(), TopicPartitions(gate.open(), topics)()) if topics else None
    return ConnectStatusTopic(gate.tail(worker.status_topic or ""), worker.connectors, progress)


def _client_stats(plan: Plan, files: StatisticsFiles, where: str) -> Planned:
    pattern = plan.environment.text(files.files, f"{where}.files")
    return Planned(
        "client_stats",
        pattern,
        ("client_stats",),
        f"files {files.files}",
        lambda: ClientStatsFiles(pattern, files.cluster),
    )


def _metrics(plan: Plan, source: MetricsSource, where: str) -> Planned:
    address = source.url or source.prometheus or ""
    endpoint = Endpoint(
        plan.environment.text(address, f"{where}.{'url' if source.url else 'prometheus'}"),
        username=plan.environment.optional(source.username, f"{where}.username"),
        password=plan.environment.optional(source.password, f"{where}.password"),
        token=plan.environment.optional(source.token, f"{where}.token"),
    )
    collector: Collector
    if source.url:
        mapping = load_mapping(source.mapping) if source.mapping else None
        collector = MetricsEndpoint(source.name, endpoint, mapping, source.include)
    else:
        collector = RangeQueries(source.name, endpoint, source.queries, step_seconds=source.step_seconds)
    return Planned("metrics", source.name, ("metrics",), address, lambda: collector, source.step_seconds)


def _mirror(plan: Plan, mirror: Mirror) -> Iterator[Planned]:
    source, target = plan.gates[mirror.source], plan.gates[mirror.target]
    source_alias, target_alias = mirror.source_alias or mirror.source, mirror.target_alias or mirror.target
    label = f"{mirror.source}-{mirror.target}"
    topic = checkpoints_topic(source_alias, mirror.separator)
    yield Planned(
        "checkpoints",
        topic,
        ("checkpoints",),
        f"topic {topic}, {target.connection.described()}",
        lambda: Checkpoints(target.tail(topic), mirror.source, mirror.target),
        label=label,
        clusters=(mirror.target,),
    )
    at_source = mirror.offset_syncs_on == "source"
    syncs = offset_syncs_topic(target_alias if at_source else source_alias, mirror.separator)
    where = source if at_source else target
    yield Planned(
        "offset_syncs",
        syncs,
        ("offset_syncs",),
        f"topic {syncs}, {where.connection.described()}",
        lambda: OffsetSyncs(where.tail(syncs), mirror.source, mirror.target),
        label=label,
        clusters=(where.connection.cluster,),
    )


def _events(plan: Plan, events: EventEndpoint) -> Planned:
    where = "drill.yaml: collect.events"
    listen = plan.environment.text(events.listen, f"{where}.listen", is_secret=False)
    token = plan.environment.optional(events.token, f"{where}.token")
    return Planned(
        "events",
        listen,
        ("events",),
        f"POST http://{listen}/events",
        refuse_to_sample,
        EVENTS_SECONDS,
        serve=lambda bundle, spool, heart: EventListener(
            bundle, spool, heart, listen, token=token, interval_seconds=EVENTS_SECONDS
        ),
    )
