"""What the parts of a drill definition say of each other: every name that is used must be one that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.drill.conditions import AppliedCondition, LagCondition, UnderReplicatedCondition
from rtoanalytics.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rtoanalytics.drill.definition import Drill


def check_references(drill: Drill) -> None:
    """Raise ValueError with every name that is given twice or refers to nothing."""
    problems = [
        *_repeated(drill),
        *_dangling(drill),
        *_dangling_conditions(drill),
        *_ambiguous_topic_names(drill),
        *_outside(drill),
        *_dangling_collection(drill),
    ]
    if problems:
        raise ValueError("; ".join(problems))


def _repeated(drill: Drill) -> Iterator[str]:
    flow = drill.flow
    for what, names in (
        ("flow.topics", [topic.name for topic in flow.topics]),
        ("flow.groups", [group.id for group in flow.groups]),
        ("flow.downstreams", [downstream.name for downstream in flow.downstreams]),
        ("runbook", [step.step for step in drill.runbook]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f'{what} names "{name}" twice'


def _unknown(where: str, name: str, allowed: Iterable[str], what: str) -> Iterator[str]:
    known = list(allowed)
    if known and name not in known:
        yield f'{where} refers to {what} "{name}", which is not defined{nearest(name, known)}'


def _dangling(drill: Drill) -> Iterator[str]:
    flow = drill.flow
    topics = [topic.name for topic in flow.topics]
    groups = [group.id for group in flow.groups]
    for group in flow.groups:
        for name in group.topics:
            yield from _unknown(f'flow.groups "{group.id}"', name, topics, "topic")
    for downstream in flow.downstreams:
        if downstream.group_id is not None:
            yield from _unknown(f'flow.downstreams "{downstream.name}"', downstream.group_id, groups, "group")
    for cluster_name, cluster in drill.clusters.items():
        for name in cluster.topic_names:
            yield from _unknown(f'clusters "{cluster_name}" topic_names', name, drill.topic_names(), "topic")


def _dangling_conditions(drill: Drill) -> Iterator[str]:
    groups = [group.id for group in drill.flow.groups]
    groups += [downstream.group_id for downstream in drill.flow.downstreams if downstream.group_id]
    for condition in drill.objectives.restored_when.conditions:
        where = f'condition "{condition.name}"'
        if isinstance(condition, LagCondition):
            yield from _unknown(where, condition.group_id, groups, "group")
        if isinstance(condition, AppliedCondition):
            yield from _unknown(where, condition.downstream, [d.name for d in drill.flow.downstreams], "downstream")
        if isinstance(condition, UnderReplicatedCondition) and condition.cluster is not None:
            yield from _unknown(where, condition.cluster, drill.clusters, "cluster")


def _dangling_collection(drill: Drill) -> Iterator[str]:
    downstreams = [downstream.name for downstream in drill.flow.downstreams]
    for name in drill.collect.downstreams:
        if name not in downstreams:
            yield f'collect.downstreams refers to downstream "{name}", which is not defined{nearest(name, downstreams)}'
    for place, name in drill.collect.clusters_named():
        if name not in drill.clusters:
            yield f'{place} refers to cluster "{name}", which is not defined{nearest(name, drill.clusters)}'
    names = [source.name for source in drill.collect.metrics]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f'collect.metrics names "{name}" twice'


def _ambiguous_topic_names(drill: Drill) -> Iterator[str]:
    for cluster_name, cluster in drill.clusters.items():
        owner: dict[str, str] = {}
        for topic in drill.topic_names():
            for physical in cluster.topic_names.get(topic, (topic,)):
                if owner.setdefault(physical, topic) != topic:
                    yield (
                        f'clusters "{cluster_name}": physical topic "{physical}" stands for both '
                        f'"{owner[physical]}" and "{topic}"'
                    )


def _outside(drill: Drill) -> Iterator[str]:
    paths = [item.evidence for item in drill.governance] + [drill.rollback.procedure if drill.rollback else None]
    for path in paths:
        if path is not None and (path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/")):
            yield f'"{path}" points outside the bundle; name a file under attachments/'
