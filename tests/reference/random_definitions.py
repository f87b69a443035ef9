"""Random drill definitions: few topics, clusters, groups and downstreams, and every kind of condition."""

import random
from typing import Any

from .drill_facts import Drill

Settings = dict[str, Any]


def chance(rng: random.Random, probability: float) -> bool:
    """Return True with a probability."""
    return rng.random() < probability


def random_definition(rng: random.Random, seed: int) -> Drill:
    """Return a valid drill definition."""
    topics = random_topics(rng)
    groups = random_groups(rng, [topic["name"] for topic in topics])
    is_listing_groups = chance(rng, 0.85)
    downstreams = random_downstreams(rng, [group["id"] for group in groups])
    flow: Settings = {"name": "payments", "topics": topics}
    if is_listing_groups:
        flow["groups"] = groups
    if downstreams:
        flow["downstreams"] = downstreams
    drill: Drill = {"schema_version": 1, "id": f"random-{seed}", "title": f"Random drill {seed}", "flow": flow}
    clusters = random_clusters(rng, [topic["name"] for topic in topics])
    if clusters:
        drill["clusters"] = clusters
    if chance(rng, 0.5):
        drill["platform"] = {
            "name": "random",
            "pattern": rng.choice(["single-cluster", "active-passive", "active-active"]),
        }
    known_groups = [group["id"] for group in groups]
    if not is_listing_groups:
        known_groups = sorted({downstream["group_id"] for downstream in downstreams if "group_id" in downstream})
    names = {"groups": known_groups, "downstreams": [d["name"] for d in downstreams], "clusters": sorted(clusters)}
    drill["objectives"] = random_objectives(rng, names)
    if chance(rng, 0.5):
        drill["criteria"] = {
            "max_duplicated_records": rng.randint(0, 5),
            "max_lost_records": 0,
            "max_final_lag_records": rng.randint(0, 5),
        }
    return drill


def random_topics(rng: random.Random) -> list[Settings]:
    """Return one or two topics."""
    topics: list[Settings] = []
    for name in ["payments", "refunds"][: rng.choice([1, 1, 2])]:
        topics.append({"name": name})
        if chance(rng, 0.7):
            topics[-1]["cleanup_policy"] = rng.choice(["delete"] * 6 + ["compact", "compact,delete"])
    return topics


def random_clusters(rng: random.Random, topics: list[str]) -> Settings:
    """Return no cluster, `primary` alone, or `primary` and `recovery`, where topics may be renamed."""
    if chance(rng, 0.07):
        return {}
    clusters: Settings = {"primary": {}}
    if chance(rng, 0.65):
        clusters["recovery"] = {}
        named = {topic: rng.choice([[topic], [f"primary.{topic}"], [topic, f"primary.{topic}"]]) for topic in topics}
        if chance(rng, 0.75):
            clusters["recovery"]["topic_names"] = {topic: names for topic, names in named.items() if chance(rng, 0.85)}
    if chance(rng, 0.3):
        clusters["primary"]["bootstrap_servers"] = "127.0.0.1:9092"
    return clusters


def random_groups(rng: random.Random, topics: list[str]) -> list[Settings]:
    """Return one to three groups, some without topics, which then read them all."""
    groups: list[Settings] = []
    for number in range(rng.choice([1, 1, 2, 2, 3])):
        groups.append({"id": f"group-{number}"})
        if chance(rng, 0.7):
            groups[-1]["topics"] = rng.sample(topics, rng.randint(1, len(topics)))
    return groups


def random_downstreams(rng: random.Random, groups: list[str]) -> list[Settings]:
    """Return up to three downstreams of mixed match and delivery, some fed by the same group, some by none."""
    downstreams: list[Settings] = []
    for number in range(rng.choice([0, 1, 1, 1, 1, 2, 2, 2, 3, 3])):
        downstream: Settings = {"name": f"store-{number}"}
        if chance(rng, 0.93):
            downstream["group_id"] = groups[0] if number == 0 else rng.choice(groups)
        if chance(rng, 0.95):
            downstream["match"] = rng.choice(["offset", "offset", "record_id"])
        if chance(rng, 0.95):
            downstream["delivery"] = rng.choice(["exactly_one", "exactly_one", "at_most_one", "many"])
        downstreams.append(downstream)
    return downstreams


def random_objectives(rng: random.Random, names: dict[str, list[str]]) -> Settings:
    """Return objectives; what is optional is sometimes left out."""
    objectives: Settings = {"rto_seconds": rng.choice([1, 3, 5, 8, 10, 15, 20, 30, 120])}
    if chance(rng, 0.85):
        objectives["clock_starts"] = rng.choice(["inject"] * 8 + ["declare", "pull-the-plug"])
    if chance(rng, 0.8):
        objectives["rpo_records"] = rng.choice([0, 0, 0, 1, 3])
    if chance(rng, 0.96):
        settings: Settings = {"hold_seconds": rng.choice([0, 1, 2, 3, 3, 5, 10])}
        if chance(rng, 0.8):
            settings["step_seconds"] = rng.choice([1, 1, 1, 2, 3])
        kinds = [
            "lag",
            "lag",
            "lag",
            "produce_errors",
            "produce_errors",
            "applied",
            "under_replicated",
            "connectors",
            "event",
        ]
        conditions = [
            random_condition(rng, rng.choice(kinds), names)
            for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4]))
        ]
        settings["conditions"] = [condition for condition in conditions if condition]
        objectives["restored_when"] = settings
    return objectives


def random_condition(rng: random.Random, kind: str, names: dict[str, list[str]]) -> Settings:
    """Return a condition of a kind, or nothing where the drill has no subject for it."""
    condition: Settings = {"kind": kind}
    if kind == "lag":
        return random_lag_condition(rng, names["groups"])
    if kind == "produce_errors":
        condition |= {
            "max_ratio": rng.choice([0, 0.01, 0.25, 0.34, 0.5]),
            "window_seconds": rng.choice([1, 2, 5, 10, 20]),
        }
    elif kind == "applied":
        if not names["downstreams"]:
            return {}
        condition |= {"downstream": rng.choice(names["downstreams"])}
        condition |= {
            "min_ratio_of_baseline": rng.choice([0.1, 0.2, 0.5, 0.8]),
            "window_seconds": rng.choice([2, 5, 5, 10]),
        }
    elif kind == "under_replicated":
        condition["max_partitions"] = rng.choice([0, 0, 0, 1])
        if names["clusters"] and chance(rng, 0.6):
            condition["cluster"] = rng.choice(names["clusters"])
    elif kind == "connectors":
        condition["connectors"] = rng.choice([["sink"], ["sink"], ["source"], ["sink", "source"]])
    else:
        condition["event"] = rng.choice(["application_ok", "application_ok", "switch"])
    return condition


def random_lag_condition(rng: random.Random, groups: list[str]) -> Settings:
    """Return a condition on a group's lag in records, seconds or both."""
    if not groups:
        return {}
    condition: Settings = {"kind": "lag", "group_id": rng.choice([groups[0], rng.choice(groups)])}
    if chance(rng, 0.85):
        condition["max_records"] = rng.choice([0, 1, 1, 2, 3, 5, 10])
    if "max_records" not in condition or chance(rng, 0.15):
        condition["max_seconds"] = rng.choice([1, 2, 2.5, 5, 10])
    return condition
