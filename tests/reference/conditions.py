"""M9, first half: each condition is good, bad or unknown at each step from the clock start on."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .drill_facts import Drill, flow_topics_of, micros, rows_on_topics, simulated_clusters
from .evidence import Row, Tables
from .lag import PartitionLag
from .silence import Silence, silence_of
from .watermarks import partition_of

Condition = dict[str, Any]
States = list[str]
LOUD_SILENCE_RECORDS = 10


@dataclass(frozen=True)
class Scene:
    """Everything conditions are judged on."""

    drill: Drill
    tables: Tables
    clock_us: int
    steps_us: list[int]  # at or after the clock start
    lags: dict[str, list[PartitionLag]]


def condition_states(scene: Scene, condition: Condition) -> States:
    """Return a condition's state at each step."""
    judges: dict[str, Callable[[Scene, Condition], States]] = {
        "lag": lag_states,
        "produce_errors": produce_errors_states,
        "applied": applied_states,
        "under_replicated": under_replicated_states,
        "connectors": connectors_states,
        "event": event_states,
    }
    return judges[condition["kind"]](scene, condition)


def worst(states: States) -> str:
    """Return bad if any is bad, else unknown if any is unknown or there is none, else good."""
    if "bad" in states:
        return "bad"
    return "unknown" if "unknown" in states or not states else "good"


# --- lag


def lag_states(scene: Scene, condition: Condition) -> States:
    """Judge the lag of a group."""
    by_step: dict[int, list[PartitionLag]] = {}
    for lag in scene.lags[condition["group_id"]]:
        by_step.setdefault(lag.step_us, []).append(lag)
    trusted = lag_truster(scene, condition["group_id"])
    return [lag_state(condition, by_step.get(step_us, []), trusted) for step_us in scene.steps_us]


def lag_truster(scene: Scene, group_id: str) -> Callable[[PartitionLag], bool]:
    """Return what tells whether a partition's lag is known for the condition: fresh samples, and no hole."""
    table = "watermarks" if scene.tables["watermarks"] else "acks"
    clusters = {lag.place[0] for lag in scene.lags[group_id]}
    commits = {cluster: silence_of(scene.drill, scene.tables, "commits", {cluster, group_id}) for cluster in clusters}
    log_ends = {cluster: silence_of(scene.drill, scene.tables, table, {cluster}) for cluster in clusters}

    def is_trusted(lag: PartitionLag) -> bool:
        of_commits, of_log_ends = commits[lag.place[0]], log_ends[lag.place[0]]
        if lag.lag_records is None or lag.commit is None:
            return False
        if of_commits.covers(lag.step_us) or of_log_ends.covers(lag.step_us):
            return False
        if lag.watermark is not None and is_stale(lag.watermark, lag.step_us, of_log_ends):
            return False
        seen_us = lag.commit["committed_at"] if lag.commit["observed_at"] is None else lag.commit["observed_at"]
        is_poll_stale: bool = lag.commit["method"] == "poll" and lag.step_us - seen_us > of_commits.stale_us
        return not is_poll_stale

    return is_trusted


def is_stale(sample: Row, step_us: int, silence: Silence) -> bool:
    """Tell whether a sample is too old to count at a step."""
    age_us: int = step_us - sample["observed_at"]
    return age_us > silence.stale_us


def lag_state(condition: Condition, lags: list[PartitionLag], is_trusted: Callable[[PartitionLag], bool]) -> str:
    """Judge the lag at one step: against max_records, max_seconds or both."""
    known = [lag for lag in lags if is_trusted(lag)]
    is_complete = bool(lags) and len(known) == len(lags)
    states = []
    if condition.get("max_records") is not None:
        states.append(lag_records_state(known, condition["max_records"], is_complete=is_complete))
    if condition.get("max_seconds") is not None:
        states.append(lag_seconds_state(known, condition["max_seconds"], is_complete=is_complete))
    return worst(states)


def lag_records_state(known: list[PartitionLag], limit: int, *, is_complete: bool) -> str:
    """Judge records: good by the upper bound or, where there is none, by the lag itself; bad by the lag."""
    total = sum(lag.lag_records or 0 for lag in known)
    highs = [lag.lag_records_high for lag in known if lag.lag_records_high is not None]
    has_high = len(highs) == len(known)
    if is_complete and (sum(highs) if has_high else total) <= limit:
        return "good"
    return "bad" if total > limit else "unknown"


def lag_seconds_state(known: list[PartitionLag], limit: float, *, is_complete: bool) -> str:
    """Judge the largest age: good only if that of every partition is known."""
    seconds = [lag.lag_seconds for lag in known if lag.lag_seconds is not None]
    if any(value > limit for value in seconds):
        return "bad"
    return "good" if is_complete and len(seconds) == len(known) else "unknown"


# --- rates over a trailing window


def produce_errors_states(scene: Scene, condition: Condition) -> States:
    """Judge the share of produces that failed or stayed indeterminate."""
    window_us = micros(condition["window_seconds"])
    acks = rows_on_topics(scene.drill, scene.tables["acks"], flow_topics_of(scene.drill))
    silence = silence_of(scene.drill, scene.tables, "acks", None)

    def state(step_us: int) -> str:
        outcomes = [row["outcome"] for row in acks if step_us - window_us < row["acked_at"] <= step_us]
        if silence.overlaps(step_us - window_us, step_us):
            return "unknown"
        if not outcomes:
            return "bad" if is_silence_loud(acks, window_us, scene.clock_us) else "unknown"
        errors = outcomes.count("failed") + outcomes.count("indeterminate")
        return "good" if Fraction(errors, len(outcomes)) <= exactly(condition["max_ratio"]) else "bad"

    return [state(step_us) for step_us in scene.steps_us]


def is_silence_loud(acks: list[Row], window_us: int, clock_us: int) -> bool:
    """Tell whether the mean rate before the clock start would have given at least 10 outcomes in a window."""
    before = [row["acked_at"] for row in acks if row["acked_at"] < clock_us]
    return bool(before) and Fraction(len(before), clock_us - min(before)) * window_us >= LOUD_SILENCE_RECORDS


def applied_states(scene: Scene, condition: Condition) -> States:
    """Judge the rate of applied rows against the mean rate up to the clock start."""
    window_us = micros(condition["window_seconds"])
    downstream = condition["downstream"]
    instants_us = [row["applied_at"] for row in scene.tables["applied"] if row["downstream"] == downstream]
    before = [instant_us for instant_us in instants_us if instant_us < scene.clock_us]
    silence = silence_of(scene.drill, scene.tables, "applied", {downstream})

    def state(step_us: int) -> str:
        if not before or silence.overlaps(step_us - window_us, step_us):
            return "unknown"
        baseline = Fraction(len(before), scene.clock_us - min(before))
        rate = Fraction(sum(step_us - window_us < instant_us <= step_us for instant_us in instants_us), window_us)
        return "good" if rate / baseline >= exactly(condition["min_ratio_of_baseline"]) else "bad"

    return [state(step_us) for step_us in scene.steps_us]


def exactly(number: float) -> Fraction:
    """Return a number of the drill file as it was written, not as a binary fraction near it."""
    return Fraction(str(number))


# --- samples


def under_replicated_states(scene: Scene, condition: Condition) -> States:
    """Judge the number of partitions with too few replicas in sync, or without a leader."""
    cluster = condition.get("cluster")
    rows = [row for row in scene.tables["partition_states"] if cluster is None or row["cluster"] == cluster]
    clusters = {row["cluster"] for row in rows}
    if clusters & simulated_clusters(scene.tables):
        return ["unknown"] * len(scene.steps_us)
    places = {partition_of(row) for row in rows}
    silences = {name: silence_of(scene.drill, scene.tables, "partition_states", {name}) for name in clusters}

    def state(step_us: int) -> str:
        latest = [sample_as_of([row for row in rows if partition_of(row) == place], step_us) for place in places]
        fresh = [row for row in latest if row is not None and is_fresh(row, step_us, silences[row["cluster"]])]
        if (
            sum(row["in_sync"] < row["replicas"] or row["leader"] is None for row in fresh)
            > condition["max_partitions"]
        ):
            return "bad"
        return "good" if places and len(fresh) == len(places) else "unknown"

    return [state(step_us) for step_us in scene.steps_us]


def sample_as_of(samples: list[Row], step_us: int) -> Row | None:
    """Return the latest sample at or before a step."""
    return max(
        (row for row in samples if row["observed_at"] <= step_us), key=lambda row: row["observed_at"], default=None
    )


def is_fresh(sample: Row, step_us: int, silence: Silence) -> bool:
    """Tell whether a sample counts at a step: not too old, and its collector not silent."""
    return not is_stale(sample, step_us, silence) and not silence.covers(step_us)


def connectors_states(scene: Scene, condition: Condition) -> States:
    """Judge several connectors: each must be good."""
    of_each = [connector_states(scene, name) for name in condition["connectors"]]
    return [worst([states[index] for states in of_each]) for index in range(len(scene.steps_us))]


def connector_states(scene: Scene, connector: str) -> States:
    """Judge one connector: it and all tasks it still has must be RUNNING and have progressed since the clock start."""
    entities: dict[int | None, list[Row]] = {}
    for row in scene.tables["connector_states"]:
        if row["connector"] == connector:
            entities.setdefault(row["task_id"], []).append(row)
    silence = silence_of(scene.drill, scene.tables, "connector_states", {connector})

    def state(step_us: int) -> str:
        seen = [rows for task, rows in entities.items() if is_counted(task, sample_as_of(rows, step_us))]
        progress = [has_progressed(rows, step_us, scene.clock_us) for rows in seen]
        states = [running_state(rows, step_us, silence) for rows in seen]
        fresh = [done for done, running in zip(progress, states, strict=True) if running != "unknown"]
        if all(done is None for done in progress):
            return worst([*states, "unknown"])
        return worst([*states, "bad" if False in fresh else "good"])

    return [state(step_us) for step_us in scene.steps_us]


def is_counted(task_id: int | None, sample: Row | None) -> bool:
    """Whether a connector or task has been seen, and is not a task that was taken away."""
    return sample is not None and (task_id is None or sample["state"].upper() != "DESTROYED")


def running_state(samples: list[Row], step_us: int, silence: Silence) -> str:
    """Judge whether a connector or task is RUNNING as of a step."""
    sample = sample_as_of(samples, step_us)
    if sample is None or not is_fresh(sample, step_us, silence):
        return "unknown"
    return "good" if sample["state"].upper() == "RUNNING" else "bad"


def has_progressed(samples: list[Row], step_us: int, clock_us: int) -> bool | None:
    """Tell whether an entity's progress is above that at the clock start, else above its first; null if it has none."""
    reporting = sorted((row for row in samples if row["progress"] is not None), key=lambda row: row["observed_at"])
    current = sample_as_of(reporting, step_us)
    if current is None:
        return None
    baseline = sample_as_of(reporting, clock_us) or reporting[0]
    return bool(current["progress"] > baseline["progress"])


# --- events


def event_states(scene: Scene, condition: Condition) -> States:
    """Judge whether an event of a kind has happened since the clock start."""
    instants_us = [event["occurred_at"] for event in scene.tables["events"] if event["kind"] == condition["event"]]

    def state(step_us: int) -> str:
        return "good" if any(scene.clock_us < instant_us <= step_us for instant_us in instants_us) else "bad"

    return [state(step_us) for step_us in scene.steps_us]
