"""The drill definition as relations, so that queries need no parameters: `drill_…` and `table_names`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rtoanalytics.drill.conditions import (
    AppliedCondition,
    Condition,
    ConnectorsCondition,
    EventCondition,
    LagCondition,
    ProduceErrorsCondition,
    UnderReplicatedCondition,
    names_of,
)
from rtoanalytics.schemas import COLLECTOR_ALIASES, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtoanalytics.drill import Drill

FLOW = "(flow)"
"""Stands for the flow itself where no downstream is defined, so that its records can still be judged."""

_TEXT: pa.DataType = pa.string()
_WHOLE: pa.DataType = pa.int64()
_REAL: pa.DataType = pa.float64()
_FLAG: pa.DataType = pa.bool_()
_SMALL: pa.DataType = pa.int32()

SCHEMAS: Mapping[str, pa.Schema] = {
    "drill_objectives": pa.schema(
        [("clock_starts", _TEXT), ("rto_us", _WHOLE), ("hold_us", _WHOLE), ("step_us", _WHOLE)]
    ),
    "drill_topics": pa.schema([("logical_topic", _TEXT), ("is_compacted", _FLAG)]),
    "drill_topic_names": pa.schema([("cluster", _TEXT), ("logical_topic", _TEXT), ("topic", _TEXT)]),
    "drill_groups": pa.schema([("group_id", _TEXT)]),
    "drill_group_topics": pa.schema([("group_id", _TEXT), ("logical_topic", _TEXT)]),
    "drill_downstreams": pa.schema(
        [("downstream", _TEXT), ("group_id", _TEXT), ("match_by", _TEXT), ("delivery", _TEXT), ("is_declared", _FLAG)]
    ),
    "drill_downstream_topics": pa.schema([("downstream", _TEXT), ("logical_topic", _TEXT)]),
    "drill_conditions": pa.schema(
        [
            ("condition_index", _SMALL),
            ("condition", _TEXT),
            ("kind", _TEXT),
            ("group_id", _TEXT),
            ("downstream", _TEXT),
            ("cluster", _TEXT),
            ("event", _TEXT),
            ("max_records", _WHOLE),
            ("max_seconds", _REAL),
            ("max_ratio", _REAL),
            ("min_ratio", _REAL),
            ("window_us", _WHOLE),
            ("max_partitions", _WHOLE),
        ]
    ),
    "drill_condition_connectors": pa.schema([("condition", _TEXT), ("connector", _TEXT)]),
    "drill_runbook": pa.schema(
        [
            ("position", _SMALL),
            ("step", _TEXT),
            ("event", _TEXT),
            ("after_us", _WHOLE),
            ("tolerance_seconds", _REAL),
        ]
    ),
    "drill_names": pa.schema([("name", _TEXT)]),
    "table_names": pa.schema([("alias", _TEXT), ("table_name", _TEXT), ("is_live", _FLAG)]),
}
"""Every definition relation and its columns."""


def definition_relations(drill: Drill) -> dict[str, pa.Table]:
    """One Arrow table for each definition relation. Durations are whole microseconds."""
    rows = {
        "drill_objectives": [_objectives(drill)],
        "drill_topics": _topics(drill),
        "drill_topic_names": _topic_names(drill),
        "drill_groups": [{"group_id": group_id} for group_id in drill.group_ids()],
        "drill_group_topics": [
            {"group_id": group_id, "logical_topic": topic}
            for group_id in drill.group_ids()
            for topic in drill.topics_of_group(group_id)
        ],
        "drill_downstreams": _downstreams(drill),
        "drill_downstream_topics": _downstream_topics(drill),
        "drill_conditions": _conditions(drill),
        "drill_condition_connectors": _condition_connectors(drill),
        "drill_runbook": _runbook(drill),
        "drill_names": [{"name": name} for name in sorted(_names(drill))],
        "table_names": _table_names(),
    }
    return {name: pa.Table.from_pylist(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def microseconds(seconds: float) -> int:
    """Seconds as whole microseconds, rounded to the nearest."""
    return round(seconds * 1_000_000)


def _objectives(drill: Drill) -> dict[str, Any]:
    restored = drill.objectives.restored_when
    return {
        "clock_starts": drill.objectives.clock_starts,
        "rto_us": microseconds(drill.objectives.rto_seconds),
        "hold_us": microseconds(restored.hold_seconds),
        "step_us": max(1, microseconds(restored.step_seconds)),
    }


def _topics(drill: Drill) -> list[dict[str, Any]]:
    compacted = {topic.name: "compact" in topic.cleanup_policy for topic in drill.flow.topics}
    return [{"logical_topic": name, "is_compacted": compacted.get(name, False)} for name in drill.topic_names()]


def _topic_names(drill: Drill) -> list[dict[str, Any]]:
    return [
        {"cluster": cluster_name, "logical_topic": topic, "topic": physical}
        for cluster_name, cluster in drill.clusters.items()
        for topic, physicals in cluster.topic_names.items()
        for physical in dict.fromkeys(physicals)
    ]


def _downstreams(drill: Drill) -> list[dict[str, Any]]:
    declared = [
        {
            "downstream": downstream.name,
            "group_id": downstream.group_id,
            "match_by": downstream.match,
            "delivery": downstream.delivery,
            "is_declared": True,
        }
        for downstream in drill.flow.downstreams
    ]
    flow = {"downstream": FLOW, "group_id": None, "match_by": "offset", "delivery": "exactly_one", "is_declared": False}
    return declared or [flow]


def _downstream_topics(drill: Drill) -> list[dict[str, Any]]:
    groups = {downstream.name: downstream.group_id for downstream in drill.flow.downstreams} or {FLOW: None}
    return [
        {"downstream": name, "logical_topic": topic}
        for name, group_id in groups.items()
        for topic in drill.topics_of_group(group_id)
    ]


def _conditions(drill: Drill) -> list[dict[str, Any]]:
    conditions = drill.objectives.restored_when.conditions
    return [
        {"condition_index": index, "condition": name, "kind": condition.kind, **_limits(condition)}
        for index, (name, condition) in enumerate(zip(names_of(conditions), conditions, strict=True), start=1)
    ]


def _limits(condition: Condition) -> dict[str, Any]:
    match condition:
        case LagCondition():
            return {
                "group_id": condition.group_id,
                "max_records": condition.max_records,
                "max_seconds": condition.max_seconds,
            }
        case ProduceErrorsCondition():
            return {"max_ratio": condition.max_ratio, "window_us": microseconds(condition.window_seconds)}
        case AppliedCondition():
            return {
                "downstream": condition.downstream,
                "min_ratio": condition.min_ratio_of_baseline,
                "window_us": microseconds(condition.window_seconds),
            }
        case UnderReplicatedCondition():
            return {"cluster": condition.cluster, "max_partitions": condition.max_partitions}
        case EventCondition():
            return {"event": condition.event}
        case ConnectorsCondition():
            return {}


def _condition_connectors(drill: Drill) -> list[dict[str, Any]]:
    conditions = drill.objectives.restored_when.conditions
    return [
        {"condition": name, "connector": connector}
        for name, condition in zip(names_of(conditions), conditions, strict=True)
        if isinstance(condition, ConnectorsCondition)
        for connector in dict.fromkeys(condition.connectors)
    ]


def _runbook(drill: Drill) -> list[dict[str, Any]]:
    return [
        {
            "position": position,
            "step": step.step,
            "event": step.event,
            "after_us": None if step.at_minute is None else microseconds(step.at_minute * 60),
            "tolerance_seconds": step.tolerance_seconds,
        }
        for position, step in enumerate(drill.runbook, start=1)
    ]


def _names(drill: Drill) -> set[str]:
    """What the target of a heartbeat may be: a cluster, downstream, group or connector of the drill."""
    connectors = {row["connector"] for row in _condition_connectors(drill)}
    downstreams = {downstream.name for downstream in drill.flow.downstreams}
    return set(drill.clusters) | set(drill.group_ids()) | downstreams | connectors


def _table_names() -> list[dict[str, Any]]:
    own = [(name, name) for name in TABLES]
    aliases = [(alias, name) for alias, names in COLLECTOR_ALIASES.items() for name in names]
    return [
        {"alias": alias, "table_name": name, "is_live": bool(TABLES[name].live_instants)}
        for alias, name in own + aliases
    ]
