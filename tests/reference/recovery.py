"""M9, second half: from the states of the steps to impact, restoration, RTA and verdict."""

from itertools import groupby
from typing import Any

from .conditions import Condition, Scene, States, condition_states, worst
from .drill_facts import Drill, conditions_of, hold_us_of
from .evidence import Tables
from .lag import PartitionLag


def recovery(
    drill: Drill, tables: Tables, steps_us: list[int], clock_us: int | None, lags: dict[str, list[PartitionLag]]
) -> dict[str, Any]:
    """Return the answer `recovery`."""
    steps_us = [step_us for step_us in steps_us if clock_us is not None and step_us >= clock_us]
    conditions = conditions_of(drill)
    names = condition_names(conditions)
    of_each: list[States] = [[] for _ in conditions]
    if clock_us is not None:
        scene = Scene(drill, tables, clock_us, steps_us, lags)
        of_each = [condition_states(scene, condition) for condition in conditions]
    states = [worst([states[index] for states in of_each]) for index in range(len(steps_us))]
    hold_us = hold_us_of(drill)
    answer = interval(drill, tables, steps_us, states, clock_us)
    answer["conditions"] = [
        {"name": name, "impact_us": impact_us(steps_us, one), "restored_us": restored_us(steps_us, one, hold_us)}
        for name, one in zip(names, of_each, strict=True)
    ]
    answer["steps"] = [{"step_us": step_us, "state": state} for step_us, state in zip(steps_us, states, strict=True)]
    answer["condition_steps"] = [
        {"name": name, "step_us": step_us, "state": state}
        for name, one in zip(names, of_each, strict=True)
        for step_us, state in zip(steps_us, one, strict=True)
    ]
    return answer


def condition_names(conditions: list[Condition]) -> list[str]:
    """Name the conditions; a name that repeats is numbered."""
    names: list[str] = []
    plain: list[str] = []
    for condition in conditions:
        plain.append(condition_name(condition))
        times = plain.count(plain[-1])
        names.append(plain[-1] if times == 1 else f"{plain[-1]}#{times}")
    return names


def condition_name(condition: Condition) -> str:
    """Name a condition by its kind and what it is about."""
    kind: str = condition["kind"]
    subjects = {
        "lag": condition.get("group_id"),
        "applied": condition.get("downstream"),
        "under_replicated": condition.get("cluster"),
        "connectors": ",".join(condition.get("connectors") or []),
        "event": condition.get("event"),
    }
    return f"{kind}:{subjects[kind]}" if subjects.get(kind) else kind


def impact_us(steps_us: list[int], states: States) -> int | None:
    """Return the first bad step."""
    return next((step_us for step_us, state in zip(steps_us, states, strict=True) if state == "bad"), None)


def runs_of(steps_us: list[int], states: States, wanted: str) -> list[tuple[int, int]]:
    """Return the first and last step of each maximal run of one state."""
    runs = []
    for state, run in groupby(zip(steps_us, states, strict=True), key=lambda pair: pair[1]):
        steps = [step_us for step_us, _ in run]
        if state == wanted:
            runs.append((steps[0], steps[-1]))
    return runs


def restored_us(steps_us: list[int], states: States, hold_us: int) -> int | None:
    """Return the first step after the impact that begins a run of good steps over the whole hold."""
    impact = impact_us(steps_us, states)
    for first, last in runs_of(steps_us, states, "good"):
        if impact is not None and first > impact and last >= first + hold_us:
            return first
    return None


def interval(drill: Drill, tables: Tables, steps_us: list[int], states: States, clock_us: int | None) -> dict[str, Any]:
    """Return when it hurt, when it was restored, and the interval in which the recovery time lies."""
    impact = impact_us(steps_us, states)
    restored = restored_us(steps_us, states, hold_us_of(drill))
    outcome = outcome_of(states, restored)
    low: float | None = 0 if outcome == "no_impact" else None
    high: float | None = 0 if outcome == "no_impact" else None
    if clock_us is not None and impact is not None:
        bad_us = [step_us for step_us, state in zip(steps_us, states, strict=True) if state == "bad"]
        last_bad_us = max(step_us for step_us in bad_us if restored is None or step_us < restored)
        error_seconds = clock_error_seconds(tables)
        low = max(0.0, (last_bad_us - clock_us) / 1_000_000 - error_seconds)
        high = (restored - clock_us) / 1_000_000 + error_seconds if restored is not None else None
    return {
        "clock_started_us": clock_us,
        "impact_us": impact,
        "restored_us": restored,
        "rta_seconds_low": low,
        "rta_seconds_high": high,
        "relapses": sum(restored is not None and first > restored for first, _ in runs_of(steps_us, states, "bad")),
        "outcome": outcome,
        "verdict": verdict_of(low, high, drill["objectives"]["rto_seconds"]),
    }


def outcome_of(states: States, restored: int | None) -> str:
    """Tell whether the service was hurt and restored, as far as the steps tell."""
    if "bad" in states:
        return "censored" if restored is None else "restored"
    return "no_impact" if states and "unknown" not in states else "unknown"


def verdict_of(low: float | None, high: float | None, rto_seconds: float) -> str:
    """Judge the interval against the objective."""
    if high is not None and high <= rto_seconds:
        return "pass"
    return "fail" if low is not None and low >= rto_seconds else "inconclusive"


def clock_error_seconds(tables: Tables) -> float:
    """Return the largest clock error on record."""
    errors = [beat["clock_error_ms"] for beat in tables["heartbeats"] if beat["clock_error_ms"] is not None]
    return max(errors, default=0) / 1000
