"""Which drills may be held against each other: in what they differ, and the series they form.

Two drills are comparable if they agree in flow, inject, platform, engine, sampling and definition, and their loads
differ by no more than a stated ratio. Drills that do not are never put into one trend unless that is asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from rtoanalytics.compare.readings import Reading

LOAD_RATIO = 1.25
"""Loads further apart than this are different loads, unless another ratio is stated."""


class Aspect(StrEnum):
    """Something drills may differ in, other than the flow, which always keeps them apart."""

    INJECT = "inject"
    PLATFORM = "platform"
    ENGINE = "engine"
    LOAD = "load"
    SAMPLING = "sampling"
    DEFINITION = "definition"


VERSIONED = (Aspect.SAMPLING, Aspect.DEFINITION)
"""Aspects of which a later drill replaces the earlier state; the others are drilled side by side."""


@dataclass(frozen=True)
class Difference:
    """One thing in which a drill differs from another."""

    aspect: str
    what: str
    """Which part of the aspect: a place in the definition, a table, or the aspect itself."""
    here: Any
    there: Any


@dataclass(frozen=True)
class Rule:
    """What counts as comparable."""

    across: frozenset[Aspect] = frozenset()
    """Aspects in which drills of one series may differ."""
    load_ratio: float = LOAD_RATIO
    """At least 1: the larger load over the smaller one, inclusive."""

    def key(self, drill: Reading) -> tuple[Any, ...]:
        """What every drill of one series has in common, load aside."""
        parts = {aspect: _text(value) for aspect, value in _exact(drill).items() if aspect not in self.across}
        return drill.drill.flow.name, *(parts.get(aspect) for aspect in Aspect)

    def same_load(self, one: Reading, other: Reading) -> bool:
        """Whether two loads are close enough; one that is not known is close to none."""
        if Aspect.LOAD in self.across:
            return True
        loads = (one.burn_down.load_records_per_second, other.burn_down.load_records_per_second)
        low, high = sorted(load if load is not None else -1 for load in loads)
        return low >= 0 and high <= low * self.load_ratio


@dataclass(frozen=True)
class Series:
    """Comparable drills, oldest first."""

    drills: tuple[Reading, ...]

    @property
    def newest(self) -> Reading:
        """The drill that the others are held against."""
        return self.drills[-1]


def instant_of(drill: Reading) -> datetime:
    """When a dated drill happened."""
    if drill.occurred_at is None:
        msg = f"{drill.id} has no instant"
        raise ValueError(msg)
    return drill.occurred_at


def in_order(drills: Iterable[Reading]) -> list[Reading]:
    """The dated drills, oldest first; those of one instant by id."""
    return sorted((drill for drill in drills if drill.occurred_at), key=lambda drill: (instant_of(drill), drill.id))


def series_of(drills: Iterable[Reading], rule: Rule) -> list[Series]:
    """The series that dated drills form, by the key they share, then newest first.

    Within one key, the newest drill takes those whose load is close to its own; the newest of the rest takes from the
    rest; and so on. So every drill of a series has been held against its newest.
    """
    by_key: dict[tuple[Any, ...], list[Reading]] = {}
    for drill in in_order(drills):
        by_key.setdefault(rule.key(drill), []).append(drill)
    found = []
    for _, rest in sorted(by_key.items(), key=lambda item: _text(item[0])):
        while rest:
            near = [drill for drill in rest if drill is rest[-1] or rule.same_load(drill, rest[-1])]
            found.append(Series(tuple(near)))
            rest = [drill for drill in rest if drill not in near]  # noqa: PLW2901  (what is left of this key)
    return found


def superseded(found: Iterable[Series], drills: Iterable[Reading], rule: Rule) -> set[str]:
    """The newest drill of each series that a later drill of the same flow, inject, platform and engine has replaced.

    It is replaced if that later drill has another definition or another sampling: the measures mean something else now.
    """
    by_side: dict[str, list[Reading]] = {}
    for drill in in_order(drills):
        by_side.setdefault(_side(drill, rule), []).append(drill)
    watched = [aspect for aspect in VERSIONED if aspect not in rule.across]
    return {
        series.newest.id
        for series in found
        for drill in by_side[_side(series.newest, rule)]
        if instant_of(drill) > instant_of(series.newest) and _differ(drill, series.newest, watched)
    }


def _side(drill: Reading, rule: Rule) -> str:
    """What is drilled side by side: flow, inject, platform and engine."""
    exact = _exact(drill)
    aspects = [aspect for aspect in Aspect if aspect not in {*VERSIONED, Aspect.LOAD, *rule.across}]
    return _text([drill.drill.flow.name, *(exact[aspect] for aspect in aspects)])


def _differ(one: Reading, other: Reading, aspects: Iterable[Aspect]) -> bool:
    here, there = _exact(one), _exact(other)
    return any(here[aspect] != there[aspect] for aspect in aspects)


def differences(here: Reading, there: Reading, load_ratio: float) -> list[Difference]:
    """Everything in which two drills of one flow differ, in the order of Aspect."""
    found: list[Difference] = []
    mine, theirs = _exact(here), _exact(there)
    for aspect in Aspect:
        if aspect is Aspect.LOAD:
            if not Rule(load_ratio=load_ratio).same_load(here, there):
                loads = (here.burn_down.load_records_per_second, there.burn_down.load_records_per_second)
                found.append(Difference(aspect, "records per second before the clock start", *loads))
        elif isinstance(mine[aspect], dict):
            found += _unequal(aspect, mine[aspect], theirs[aspect])
        elif mine[aspect] != theirs[aspect]:
            found.append(Difference(aspect, aspect.value, mine[aspect], theirs[aspect]))
    return found


def engine_of(drill: Reading) -> str:
    """Whether the clusters of a drill are real or imitate Kafka."""
    return "simulated" if drill.is_simulated else "real"


def _unequal(aspect: Aspect, here: Mapping[str, Any], there: Mapping[str, Any]) -> list[Difference]:
    places = sorted(here.keys() | there.keys())
    return [
        Difference(aspect, place, here.get(place), there.get(place))
        for place in places
        if (place in here, here.get(place)) != (place in there, there.get(place))
    ]


def _exact(drill: Reading) -> dict[Aspect, Any]:
    """The aspects that must be equal."""
    return {
        Aspect.INJECT: drill.inject,
        Aspect.PLATFORM: drill.platform,
        Aspect.ENGINE: engine_of(drill),
        Aspect.SAMPLING: {"step_seconds": drill.step_seconds, **drill.sampling_seconds},
        Aspect.DEFINITION: drill.definition,
    }


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
