"""Which drills are held against each other, and what is named where they are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rtoanalytics.compare import Aspect
from tests.core.compare.libraries import Document, Facts, compared, quarters, with_id

OLD, NEW = date(2026, 1, 10), date(2026, 4, 10)


def pair(**changed: Any) -> list[Facts]:  # noqa: ANN401  (fields of Facts)
    """Two drills a quarter apart; the later one with what is changed."""
    return [Facts("old", OLD), Facts("new", NEW, **changed)]


def differs(document: Document) -> list[dict[str, Any]]:
    """What keeps series of a document from the newest drill of their flow."""
    return [item for series in document["series"] for item in series["differs"]]


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "inject": (
        {"inject": "network-partition"},
        {"what": "inject", "here": "broker-kill", "there": "network-partition"},
    ),
    "platform": ({"platform": "kafka-5.0"}, {"what": "platform", "here": "kafka-4.1", "there": "kafka-5.0"}),
    "engine": ({"is_simulated": True}, {"what": "engine", "here": "real", "there": "simulated"}),
    "load": ({"load": 126.0}, {"here": 100.0, "there": 126.0}),
    "sampling": ({"interval_seconds": 5.0}, {"what": "commits", "here": 1.0, "there": 5.0}),
    "definition": ({"rto_seconds": 60.0}, {"what": "objectives.rto_seconds", "here": 120.0, "there": 60.0}),
}


@pytest.mark.parametrize("aspect", CHANGES)
def test_what_differs_is_named_and_kept_apart(aspect: str) -> None:
    """Two drills that differ in one aspect are two series, nothing is compared, and the difference is named."""
    changed, named = CHANGES[aspect]
    document = compared(*pair(**changed))
    assert [series["drills"] for series in document["series"]] in ([["old"], ["new"]], [["new"], ["old"]])
    assert {item["aspect"] for item in differs(document)} == {aspect}
    assert differs(document)[0].items() >= named.items()
    assert document["outcome"] == "undecided"


@pytest.mark.parametrize("aspect", CHANGES)
def test_asked_for_they_are_one_series(aspect: str) -> None:
    """With that aspect in `across`, or with all of them, the same two drills are compared."""
    for across in (frozenset({Aspect(aspect)}), frozenset(Aspect)):
        document = compared(*pair(**CHANGES[aspect][0]), across=across)
        assert [series["drills"] for series in document["series"]] == [["old", "new"]]


def test_flows_are_never_compared() -> None:
    """Two flows stay two series, whatever is asked for."""
    document = compared(*pair(flow="orders"), across=frozenset(Aspect))
    assert len(document["series"]) == 2


@pytest.mark.parametrize(("load", "is_one"), [(125.0, True), (80.0, True), (125.1, False), (79.9, False)])
def test_the_ratio_of_loads_is_inclusive(load: float, is_one: bool) -> None:
    """Loads at exactly the ratio, either way round, are compared."""
    assert (len(compared(*pair(load=load))["series"]) == 1) == is_one


def test_a_load_that_is_not_known_is_close_to_none() -> None:
    """Nobody knows whether two drills without a known load carried the same one."""
    drills = [replace(drill, load=None) for drill in pair()]
    assert len(compared(*drills)["series"]) == 2
    assert len(compared(*drills, across=frozenset({Aspect.LOAD}))["series"]) == 1


def test_loads_gather_around_the_newest() -> None:
    """A chain of loads, each close to the next, does not become one series: each is held against the newest."""
    loads = [100.0, 120.0, 144.0, 172.8]
    drills = [replace(drill, load=load) for drill, load in zip(quarters(4), loads, strict=True)]
    assert [series["drills"] for series in compared(*drills)["series"]] == [["q2", "q3"], ["q0", "q1"]]


def test_criteria_and_topics_are_definition_owners_are_not() -> None:
    """A tolerance that was added separates, by its place."""
    document = compared(*pair(criteria={"max_lost_records": 3}))
    assert [(item["what"], item["here"], item["there"]) for item in differs(document)] == [
        ("criteria.max_lost_records", None, 3)
    ]


def test_a_replaced_definition_decides_nothing() -> None:
    """A series that regressed under a definition that a later drill replaced no longer decides the outcome."""
    old = [Facts("a", date(2025, 1, 1)), Facts("b", date(2025, 4, 1), rta=(90.0, 91.0))]
    new = [Facts("c", date(2026, 1, 1), rto_seconds=60.0), Facts("d", date(2026, 4, 1), rto_seconds=60.0)]
    assert compared(*old)["outcome"] == "regressed"
    document = compared(*old, *new)
    assert document["outcome"] == "not_regressed"
    assert [(series["drills"], series["is_superseded"]) for series in document["series"]] == [
        (["a", "b"], True), (["c", "d"], False),
    ]  # fmt: skip


def test_another_load_is_no_replacement() -> None:
    """Loads are drilled side by side: a regression under one load still decides when another load is newer."""
    slow = [Facts("a", date(2025, 1, 1)), Facts("b", date(2025, 4, 1), rta=(90.0, 91.0))]
    fast = [Facts("c", date(2026, 1, 1), load=900.0), Facts("d", date(2026, 4, 1), load=900.0)]
    assert compared(*slow, *fast)["outcome"] == "regressed"


def test_a_drill_without_an_instant_takes_no_part() -> None:
    """It is listed, in no series: nobody knows what came before it."""
    document = compared(*quarters(2), Facts("when", is_dated=False))
    assert [drill["drill"] for drill in document["drills"]] == ["q0", "q1", "when"]
    assert [series["drills"] for series in document["series"]] == [["q0", "q1"]]
    assert document["drills"][-1]["series"] is None


def test_drills_of_one_instant_stand_by_id() -> None:
    """Two drills that started at once are ordered by their ids, so that the answer is always the same one."""
    document = compared(Facts("b"), with_id(Facts("b"), "a"))
    assert document["series"][0]["drills"] == ["a", "b"]
