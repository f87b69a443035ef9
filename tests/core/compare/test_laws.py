"""Laws of comparisons on random drills."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from math import inf
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtoanalytics.compare import Library, Question, compare_library, document_bytes
from rtoanalytics.compare.intervals import UNKNOWN, Interval, Outcome, outcome
from rtoanalytics.compare.trend import DAYS_A_QUARTER, kendall_shares, rank_cut, trend
from tests.core.compare.libraries import TODAY, Facts, compared, quarters, reading, with_id

NUMBERS = st.integers(0, 50)
KNOWN = st.tuples(NUMBERS, NUMBERS).map(lambda ends: Interval(min(ends), max(ends)))
OPEN = NUMBERS.map(Interval)
INTERVALS = st.one_of(KNOWN, OPEN, st.just(UNKNOWN))
COUNTED = ("duplicated_records", "skipped_records", "failed_produces")
VERDICTS = st.sampled_from(["pass", "fail", "inconclusive", "not_applicable"])
RECOVERIES = st.one_of(
    st.none(),
    st.tuples(st.integers(1, 200), st.none()),
    st.tuples(st.integers(1, 99), st.integers(0, 30)).map(lambda pair: (pair[0], pair[0] + pair[1])),
)


@st.composite
def drills(draw: st.DrawFn, most: int = 6) -> list[Facts]:
    """Drills of a few flows, faults, platforms and loads, on days that may be the same."""
    count = draw(st.integers(1, most))
    return [
        Facts(
            id=f"d{number}",
            day=date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 300))),
            flow=draw(st.sampled_from(["payments", "orders"])),
            inject=draw(st.sampled_from(["broker-kill", "network-partition"])),
            platform=draw(st.sampled_from(["blue", "green"])),
            rta=draw(RECOVERIES),
            load=draw(st.sampled_from([None, 100.0, 110.0, 400.0])),
            counts=draw(st.dictionaries(st.sampled_from(COUNTED), NUMBERS)),
            verdicts=draw(st.dictionaries(st.sampled_from(COUNTED), VERDICTS)),
            interval_seconds=draw(st.sampled_from([1.0, 5.0])),
            is_simulated=draw(st.booleans()),
            is_dated=draw(st.integers(0, 9)) > 0,
        )
        for number in range(count)
    ]


@settings(max_examples=40)
@given(drills(), st.randoms(use_true_random=False))
def test_the_order_of_drills_does_not_matter(facts: list[Facts], random: object) -> None:
    """The same drills in another order give the same bytes."""
    readings = [reading(one) for one in facts]
    shuffled = list(readings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    asked = Question(TODAY)
    first, second = (compare_library(Library(tuple(some), ()), asked) for some in (readings, shuffled))
    assert document_bytes(first) == document_bytes(second)


@given(INTERVALS, INTERVALS)
def test_intervals_that_meet_are_no_change(before: Interval, after: Interval) -> None:
    """Where some number lies in both intervals, it is neither a regression nor an improvement; else it is one."""
    meets = max(before.low, after.low) <= min(_high(before), _high(after))
    found = outcome(before, after)
    assert (found in {Outcome.REGRESSION, Outcome.IMPROVEMENT}) == (not meets)


@given(INTERVALS, INTERVALS)
def test_a_change_seen_from_the_other_side(before: Interval, after: Interval) -> None:
    """What regressed one way improved the other way."""
    assert (outcome(before, after) is Outcome.REGRESSION) == (outcome(after, before) is Outcome.IMPROVEMENT)


@given(INTERVALS)
def test_nothing_changes_against_itself(value: Interval) -> None:
    """A quantity held against itself is unchanged, overlapping or not known."""
    assert outcome(value, value) not in {Outcome.REGRESSION, Outcome.IMPROVEMENT}


@settings(max_examples=40)
@given(drills(most=1))
def test_a_drill_against_its_twin(facts: list[Facts]) -> None:
    """The same drill a day later, under another id: no measure and no verdict changed, nothing regressed."""
    first = replace(facts[0], is_dated=True)
    document = compared(first, with_id(first, "twin", day=first.day + timedelta(days=1)))
    for series in document["series"]:
        assert series["outcome"] in {"not_regressed", "undecided"}
        if series["since_previous"]:
            assert not series["since_previous"]["verdicts"]
            outcomes = {change["outcome"] for change in series["since_previous"]["measures"]}
            assert outcomes <= {"unchanged", "overlapping", "unknown"}


@given(INTERVALS, INTERVALS)
def test_missing_results_never_improve(before: Interval, after: Interval) -> None:
    """Forgetting either side turns nothing into an improvement, nor into a regression."""
    for pair in ((UNKNOWN, after), (before, UNKNOWN), (UNKNOWN, UNKNOWN)):
        assert outcome(*pair) not in {Outcome.REGRESSION, Outcome.IMPROVEMENT}


@settings(max_examples=60)
@given(drills(), st.data())
def test_what_is_not_judged_never_improves(facts: list[Facts], data: st.DataObject) -> None:
    """A drill whose counts and recovery time are taken away shows no improvement against the one before it."""
    dated = [replace(one, is_dated=True) for one in facts]
    place = data.draw(st.integers(0, len(dated) - 1))
    dated[place] = replace(
        dated[place], rta=None, counts=dict.fromkeys(COUNTED), verdicts=dict.fromkeys(COUNTED, "inconclusive")
    )
    document = compared(*dated, across=frozenset())
    (found,) = (drill for drill in document["drills"] if drill["drill"] == dated[place].id)
    taken = {*COUNTED, "recovery_time"}
    assert {m["outcome"] for m in found["measures"] if m["measure"] in taken} <= {None, "unknown"}


@given(st.lists(KNOWN, min_size=4, max_size=7), st.data())
def test_forgetting_a_drill_makes_no_trend(values: list[Interval], data: st.DataObject) -> None:
    """Where one measure is not known any more, the interval of the slope holds the one from before."""
    points = _points(values)
    place = data.draw(st.integers(0, len(values) - 1))
    forgotten = _points([UNKNOWN if number == place else value for number, value in enumerate(values)])
    whole, less = trend(points), trend(forgotten)
    assert _low(less.slope_low) <= _low(whole.slope_low)
    assert _up(less.slope_high) >= _up(whole.slope_high)


@given(st.lists(NUMBERS, min_size=4, max_size=8))
def test_the_slope_is_the_median_of_all_pairs(values: list[int]) -> None:
    """A twin that looks at every pair, in the plainest way, finds the same slope and the same interval."""
    points = _points([Interval(value, value) for value in values])
    slopes = sorted(
        (values[later] - values[earlier]) / (30 * (later - earlier) / DAYS_A_QUARTER)
        for earlier in range(len(values))
        for later in range(earlier + 1, len(values))
    )
    cut, _ = rank_cut(len(values))
    found = trend(points)
    assert found.slope == pytest.approx(median(slopes), abs=1e-6)
    assert (found.slope_low, found.slope_high) == pytest.approx((slopes[cut], slopes[-1 - cut]), abs=1e-6)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7])
def test_shares_are_those_of_all_orders(size: int) -> None:
    """Kendall's distribution is what counting the falling pairs of every order gives."""
    orders = list(permutations(range(size)))
    falling = [sum(order[i] > order[j] for i in range(size) for j in range(i + 1, size)) for order in orders]
    pairs = range(size * (size - 1) // 2 + 1)
    assert kendall_shares(size) == pytest.approx([falling.count(number) / len(orders) for number in pairs])


@pytest.mark.parametrize("size", [4, 5, 6, 8, 20, 60])
def test_the_cut_is_the_narrowest_that_is_confident(size: int) -> None:
    """One slope more cut off at each end would leave less than 95 %; with four drills nothing can be cut off."""
    cut, confidence = rank_cut(size)
    shares = kendall_shares(size)
    assert confidence == pytest.approx(1 - 2 * sum(shares[: cut + 1]))
    assert confidence >= 0.95 or cut == 0
    assert 1 - 2 * sum(shares[: cut + 2]) < 0.95


def test_many_drills_take_the_normal_formula() -> None:
    """Beyond sixty drills the cut goes on where the exact one ended."""
    assert abs(rank_cut(61)[0] - rank_cut(60)[0]) < 60
    assert trend(_points([Interval(number, number) for number in range(250)])).drills == 200


def test_a_drill_in_every_quarter_improves() -> None:
    """Five drills that each recover four seconds sooner are an improving trend, and the newest improved."""
    facts = [replace(one, rta=(40.0 - 4 * place, 41.0 - 4 * place)) for place, one in enumerate(quarters(5))]
    (series,) = compared(*facts)["series"]
    assert series["outcome"] == "not_regressed"
    assert series["trends"][0]["direction"] == "improving"
    assert series["trends"][0]["slope_per_quarter"] == pytest.approx(-4, abs=0.05)


def _points(values: list[Interval]) -> list[tuple[datetime, Interval]]:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [(first + timedelta(days=30 * number), value) for number, value in enumerate(values)]


def _high(value: Interval) -> float:
    return inf if value.high is None else value.high


def _low(value: float | None) -> float:
    return -inf if value is None else value


def _up(value: float | None) -> float:
    return inf if value is None else value
