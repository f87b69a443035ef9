"""What the drill definition says: topics, physical names, groups, downstreams, objectives."""

from dataclasses import dataclass
from typing import Any

from .evidence import Row, Tables

Drill = dict[str, Any]

SIMULATED_ENGINE = "librdkafka-mock"


@dataclass(frozen=True)
class Downstream:
    """One downstream with the topics that reach it."""

    name: str
    group_id: str | None
    match: str
    delivery: str
    topics: list[str]


def flow_topics_of(drill: Drill) -> list[str]:
    """Name the flow's topics, as the drill calls them."""
    return [topic["name"] for topic in drill["flow"].get("topics") or []]


def physical_names(drill: Drill, cluster: str, topic: str) -> list[str]:
    """Name a topic as it is called on a cluster: the drill's `topic_names`, else its own name."""
    settings = (drill.get("clusters") or {}).get(cluster) or {}
    names: list[str] = (settings.get("topic_names") or {}).get(topic) or [topic]
    return names


def topic_behind(drill: Drill, cluster: str, physical: str, topics: list[str]) -> str | None:
    """Find which of `topics` is called `physical` on a cluster."""
    for topic in topics:
        if physical in physical_names(drill, cluster, topic):
            return topic
    return None


def is_compacted(drill: Drill, cluster: str, physical: str) -> bool:
    """Tell whether the cleanup_policy of the topic behind a physical name contains `compact`."""
    name = topic_behind(drill, cluster, physical, flow_topics_of(drill))
    for topic in drill["flow"].get("topics") or []:
        if topic["name"] == name:
            return "compact" in (topic.get("cleanup_policy") or "delete").split(",")
    return False


def groups_of(drill: Drill) -> dict[str, list[str]]:
    """Map each group to its topics, all of them if it names none; without `groups`, downstreams imply theirs."""
    everything = flow_topics_of(drill)
    listed = drill["flow"].get("groups") or []
    if listed:
        return {group["id"]: group.get("topics") or everything for group in listed}
    downstreams = drill["flow"].get("downstreams") or []
    return {downstream["group_id"]: everything for downstream in downstreams if downstream.get("group_id")}


def downstreams_of(drill: Drill) -> list[Downstream]:
    """List the flow's downstreams with their topics: those of the group, or all of the flow without a group."""
    groups = groups_of(drill)
    return [
        Downstream(
            name=downstream["name"],
            group_id=downstream.get("group_id"),
            match=downstream.get("match", "offset"),
            delivery=downstream.get("delivery", "exactly_one"),
            topics=groups[downstream["group_id"]] if downstream.get("group_id") else flow_topics_of(drill),
        )
        for downstream in drill["flow"].get("downstreams") or []
    ]


def restored_when(drill: Drill) -> dict[str, Any]:
    """Return objectives.restored_when, empty if absent."""
    settings: dict[str, Any] = drill["objectives"].get("restored_when") or {}
    return settings


def conditions_of(drill: Drill) -> list[dict[str, Any]]:
    """List the conditions under which the service counts as restored."""
    return restored_when(drill).get("conditions") or []


def step_seconds_of(drill: Drill) -> float:
    """Return the length of a step, 1 second unless the drill says otherwise."""
    seconds: float = restored_when(drill).get("step_seconds") or 1
    return seconds


def hold_us_of(drill: Drill) -> int:
    """Return how long all conditions must hold, 0 unless the drill says otherwise."""
    return micros(restored_when(drill).get("hold_seconds", 10))


def clock_start_us(drill: Drill, tables: Tables) -> int | None:
    """Return the first event of the kind that starts the clock."""
    kind = drill["objectives"].get("clock_starts") or "inject"
    return min((event["occurred_at"] for event in tables["events"] if event["kind"] == kind), default=None)


def rows_on_topics(drill: Drill, rows: list[Row], topics: list[str]) -> list[Row]:
    """Keep the rows that are about one of `topics`, under its physical names on the row's cluster."""
    return [row for row in rows if topic_behind(drill, row["cluster"], row["topic"], topics) is not None]


def simulated_clusters(tables: Tables) -> set[str]:
    """Name the clusters whose engine is a simulation."""
    return {row["cluster"] for row in tables["cluster_info"] if row["engine"] == SIMULATED_ENGINE}


def micros(seconds: float) -> int:
    """Convert seconds to whole microseconds."""
    return round(seconds * 1_000_000)
