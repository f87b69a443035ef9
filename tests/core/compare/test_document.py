"""What is said of changes, proof, faults, what is carried, and platforms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from rtoanalytics.compare import Question, compare_library, document_bytes
from rtoanalytics.compare.rows import COLUMNS, csv_text
from tests.core.compare.libraries import TODAY, Document, Facts, compared, library, quarters, story, with_id
from tests.core.report.goldens import assert_golden_in

COUNT, VERDICT = "duplicated_records", "rollback_rehearsed"


def ended(before: dict[str, Any], after: dict[str, Any]) -> Document:
    """The comparison of two drills of one series."""
    one, other = quarters(2)
    return compared(replace(one, **before), replace(other, **after))


def change(document: Document, measure: str) -> dict[str, Any]:
    """How a measure changed in the only series."""
    (series,) = document["series"]
    (found,) = (item for item in series["since_previous"]["measures"] if item["measure"] == measure)
    return dict(found)


def test_document() -> None:
    """The story's comparison is exactly this document, and exactly these rows."""
    document = compared(*story())
    assert_golden_in(__file__, "story.json", document_bytes(document).decode())
    assert_golden_in(__file__, "story.csv", csv_text(document))


def test_csv_has_a_row_for_every_drill_and_measure() -> None:
    """One header and one line for each drill and measure, each with every column."""
    document = compared(*quarters(3))
    lines = csv_text(document).splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert len(lines) == 1 + 3 * 13


STATUSES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "slower": ({"rta": (23.0, 24.0)}, {"rta": (24.5, 26.0)}, "regressed"),
    "perhaps slower": ({"rta": (23.0, 24.0)}, {"rta": (24.0, 26.0)}, "not_regressed"),
    "faster": ({"rta": (23.0, 24.0)}, {"rta": (10.0, 11.0)}, "not_regressed"),
    "not restored, later than before": ({"rta": (23.0, 24.0)}, {"rta": (30.0, None)}, "regressed"),
    "not restored, perhaps no later": ({"rta": (23.0, 24.0)}, {"rta": (20.0, None)}, "undecided"),
    "not known any more": ({"rta": (23.0, 24.0)}, {"rta": None}, "undecided"),
    "known at last": ({"rta": None}, {"rta": (23.0, 24.0)}, "not_regressed"),
    "never known": ({"rta": None}, {"rta": None}, "not_regressed"),
    "one more": ({"counts": {COUNT: 3}}, {"counts": {COUNT: 4}}, "regressed"),
    "one less": ({"counts": {COUNT: 4}}, {"counts": {COUNT: 3}}, "not_regressed"),
    "more of what nobody limits": (
        {"counts": {"produced_twice": 1}}, {"counts": {"produced_twice": 9}}, "not_regressed",
    ),
    "a count nobody can tell": ({}, {"verdicts": {COUNT: "inconclusive"}}, "undecided"),
    "a pass that failed": ({}, {"verdicts": {VERDICT: "fail"}}, "regressed"),
    "a pass that is not told": ({}, {"verdicts": {VERDICT: "inconclusive"}}, "undecided"),
    "a fail that passed": ({"verdicts": {VERDICT: "fail"}}, {}, "not_regressed"),
    "a fail that stayed": ({"verdicts": {VERDICT: "fail"}}, {"verdicts": {VERDICT: "fail"}}, "not_regressed"),
    "regressed and lost": ({}, {"rta": (80.0, 81.0), "verdicts": {COUNT: "inconclusive"}}, "regressed"),
}  # fmt: skip


@pytest.mark.parametrize("what", STATUSES)
def test_outcome(what: str) -> None:
    """Regressed beats undecided; only what the definition asks about decides."""
    before, after, expected = STATUSES[what]
    assert ended(before, after)["outcome"] == expected


def test_a_count_over_a_hole_is_not_known() -> None:
    """A count without a limit was never doubted by the scorecard; over a hole in the capture it is none."""
    document = ended({"counts": {"produced_twice": 9}}, {"holes": {"acks": 1}})
    assert change(document, "produced_twice")["outcome"] == "unknown"


def test_a_failed_count_over_a_hole_does_not_improve() -> None:
    """What failed on holed evidence may have been less than measured: fewer now proves nothing."""
    failed = {"counts": {COUNT: 50}, "verdicts": {COUNT: "fail"}, "holes": {"applied": 1}}
    assert change(ended(failed, {}), COUNT)["outcome"] == "unknown"


def test_lost_records_on_a_simulated_cluster_are_not_known() -> None:
    """A simulated log proves nothing about loss, not even that it got better."""
    document = ended({"counts": {"lost_records": 5}, "is_simulated": True}, {"is_simulated": True})
    assert change(document, "lost_records")["outcome"] == "unknown"


def test_a_final_lag_below_the_threshold_is_drained() -> None:
    """Three or eighty records behind, both below the threshold of 100, is the same: drained."""
    assert change(ended({"counts": {"final_lag": 3}}, {"counts": {"final_lag": 80}}), "final_lag")["outcome"] == (
        "overlapping"
    )
    assert change(ended({}, {"counts": {"final_lag": 101}}), "final_lag")["outcome"] == "regression"


def test_since_the_first() -> None:
    """Changes against the first drill stand beside those against the one before, and decide nothing."""
    drills = quarters(3)
    document = compared(replace(drills[0], rta=(1.0, 2.0)), drills[1], drills[2])
    (series,) = document["series"]
    assert series["since_first"]["drill"] == "q0"
    assert series["since_first"]["measures"][0]["outcome"] == "regression"
    assert document["outcome"] == "not_regressed"


def test_a_newest_drill_with_nothing_before_it_is_undecided() -> None:
    """A flow drilled once decides nothing, unless its drill is the newest of all."""
    assert compared(*quarters(2), Facts("alone", date(2024, 1, 1), flow="orders"))["outcome"] == "not_regressed"
    assert compared(*quarters(2), Facts("alone", TODAY, flow="orders"))["outcome"] == "undecided"


@pytest.mark.parametrize(("age", "is_expired"), [(0, False), (92, False), (93, True)])
def test_proof_expires_after_the_cadence(age: int, is_expired: bool) -> None:
    """The last day of the cadence is inside it."""
    (row,) = compared(Facts("a", TODAY - timedelta(days=age)))["expiry"]
    assert (row["is_expired"], row["age_days"], row["last_passing_drill"]) == (is_expired, age, "a")


def test_only_a_pass_on_a_real_cluster_is_proof() -> None:
    """A later fail, a pass that was simulated and a pass in the future renew nothing."""
    passed = Facts("passed", TODAY - timedelta(days=200))
    failed = Facts("failed", TODAY - timedelta(days=3), verdicts={VERDICT: "fail"})
    simulated = Facts("simulated", TODAY - timedelta(days=2), is_simulated=True)
    later = Facts("later", TODAY + timedelta(days=1))
    (row,) = compared(passed, failed, simulated, later)["expiry"]
    assert (row["is_expired"], row["last_passing_drill"], row["last_drill"]) == (True, "passed", "simulated")
    (row,) = compared(simulated)["expiry"]
    assert (row["is_expired"], row["age_days"]) == (True, None)
    assert "simulated" in row["reason"]


def test_the_cadence_is_as_asked() -> None:
    """Another agreed cadence, another answer."""
    drills = library(Facts("a", TODAY - timedelta(days=40)))
    for cadence, is_expired in ((30, True), (40, False)):
        assert compare_library(drills, Question(TODAY, cadence))["expiry"][0]["is_expired"] is is_expired


def test_every_flow_meets_every_fault() -> None:
    """The matrix has a cell for each pair, drilled or not."""
    document = compared(Facts("a", inject="x"), Facts("b", flow="orders", inject="y", day=TODAY))
    cells = {(cell["flow"], cell["inject"]): (cell["drills"], cell["last_verdict"]) for cell in document["faults"]}
    assert cells == {
        ("orders", "x"): (0, None), ("orders", "y"): (1, "pass"),
        ("payments", "x"): (1, "pass"), ("payments", "y"): (0, None),
    }  # fmt: skip


def test_findings_are_carried_until_they_pass() -> None:
    """Open from the first drill that failed; not judging does not close; a pass closes; failing again opens anew."""
    verdicts = ["pass", "fail", "inconclusive", "not_applicable", "fail", "pass", "fail"]
    drills = [replace(one, verdicts={VERDICT: verdict}) for one, verdict in zip(quarters(7), verdicts, strict=True)]
    items = compared(*drills)["carried"]
    assert [(item["opened_by"], item["last_seen_in"], item["drills"], item["closed_by"]) for item in items] == [
        ("q6", "q6", 1, None), ("q1", "q4", 3, "q5"),
    ]  # fmt: skip
    assert items[0]["next_action"] == "Rehearse the way back before the next drill."


def test_another_fault_closes_nothing() -> None:
    """A check that failed under one fault stays open when the next drill, of another fault, passes it."""
    failed = Facts("a", date(2026, 1, 1), verdicts={VERDICT: "fail"})
    (item,) = compared(failed, Facts("b", TODAY, inject="network-partition"))["carried"]
    assert item["is_open"]


def test_platforms_stand_side_by_side() -> None:
    """The newest drill of each platform with the same fault, with its cost, and what else differs."""
    blue = Facts("blue", date(2026, 1, 1), platform="blue", monthly=100.0)
    green = Facts("green", date(2026, 4, 1), platform="green", monthly=250.5, load=500.0)
    (pair,) = compared(with_id(blue, "older", day=date(2025, 1, 1)), blue, green)["platforms"]
    assert [(side["platform"], side["drill"], side["costs"]) for side in pair["sides"]] == [
        ("blue", "blue", [{"currency": "USD", "monthly": 100.0}]),
        ("green", "green", [{"currency": "USD", "monthly": 250.5}]),
    ]
    assert [(item["platform"], item["aspect"]) for item in pair["differs"]] == [("green", "load")]


def test_no_impact_is_no_recovery_to_compare() -> None:
    """A drill that broke nothing is not faster than one that did."""
    first, second = library(*quarters(2)).drills
    unhurt = second.scorecard.recovery.model_copy(update={"outcome": "no_impact", "rta_seconds_low": 0.0})
    card = second.scorecard.model_copy(update={"recovery": unhurt})
    both = replace(library(), drills=(first, replace(second, scorecard=card)))
    document = compare_library(both, Question(TODAY))
    assert change(document, "recovery_time")["outcome"] == "unknown"
    assert document["outcome"] == "undecided"
