"""A drill that went well passes, and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.core.scorecard.passing import passing_drill, row_verdicts, verdicts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.scorecard.passing import Scorecard

JUDGED = {
    "business_scope": ["topics_seen", "groups_seen", "downstreams_seen", "owners_named", "partitions_exercised"],
    "rto_target": [
        "recovery_time",
        "capture_spans_recovery",
        "clocks_agree",
        "runbook_step:declare",
        "runbook_step:switch",
    ],
    "client_behavior": ["failed_produces", "clients_reconnected"],
    "offset_integrity": [
        "duplicated_records",
        "skipped_records",
        "lost_records",
        "reordered_records",
        "recovery_point",
        "commits_captured",
    ],
    "capacity": ["final_lag", "peak_lag", "drain_time"],
    "governance": ["evidence_coverage", "evidence_sealed", "governance:IAM review"],
    "rollback": ["rollback_authority", "rollback_procedure", "rollback_rehearsed", "rollback_sign_offs"],
}
"""Row → the checks that are judged when everything is defined; the others only report a figure."""


def test_everything_passes(passing: Scorecard) -> None:
    """A bundle that defines, captures, keeps and seals everything passes as a whole and in each of the seven rows."""
    assert passing["verdict"] == "pass"
    assert row_verdicts(passing) == dict.fromkeys(JUDGED, "pass")


def test_every_judged_check_passes_and_no_other_is_judged(passing: Scorecard) -> None:
    """Each row judges exactly the checks that the definition asks for; the rest is reported, judged not_applicable."""
    for row in passing["rows"]:
        passed = [check["name"] for check in row["checks"] if check["verdict"] == "pass"]
        others = {check["verdict"] for check in row["checks"]} - {"pass"}
        assert passed == JUDGED[row["area"]]
        assert others <= {"not_applicable"}


def test_a_passing_row_asks_for_nothing(passing: Scorecard) -> None:
    """Where nothing failed and nothing is missing, there is nothing to invest in."""
    assert [row["next_action"] for row in passing["rows"]] == [None] * 7


def test_recovery_is_what_was_planned(passing: Scorecard) -> None:
    """The recovery time lies between the last bad step and the first good one, each widened by the clocks."""
    recovery = passing["recovery"]
    assert recovery["outcome"] == "restored"
    assert (recovery["impact_at"], recovery["restored_at"]) == ("2026-11-20T10:00:00Z", "2026-11-20T10:00:24Z")
    assert (recovery["rta_seconds_low"], recovery["rta_seconds_high"]) == (22.9995, 24.0005)
    assert recovery["relapses"] == 0


def test_conditions_broke_and_held_as_planned(passing: Scorecard) -> None:
    """Each condition has its own first bad and first good second, worked out by hand from the plan of the drill."""
    seconds = {
        condition["name"]: (condition["impact_at"][17:19], condition["restored_at"][17:19])
        for condition in passing["recovery"]["conditions"]
    }
    assert seconds == {
        "lag:payments-sink": ("21", "23"),
        "produce_errors": ("07", "20"),
        "applied:payments-db": ("03", "22"),
        "under_replicated:primary": ("01", "18"),
        "connectors:payments-jdbc": ("00", "18"),
        "event:application_ok": ("00", "24"),
    }


def test_books_hold_every_record_once(passing: Scorecard) -> None:
    """All 900 payments were acknowledged and applied once; nothing else happened to any of them."""
    totals = {name: count for name, count in passing["totals"].items() if count}
    assert totals == {"acked": 900, "once": 900, "applied": 900, "distinct_applied": 900}


def test_every_check_names_its_evidence_and_its_reason(passing: Scorecard) -> None:
    """A verdict without a reason, or a judged check without the file behind it, cannot be contested."""
    for row in passing["rows"]:
        for check in row["checks"]:
            assert check["reason"]
            assert check["evidence"] or check["verdict"] == "not_applicable", check["name"]


def test_without_an_outage_there_is_no_impact(folder: Path) -> None:
    """A drill that hurt nothing passes its objective, with recovery time 0, and says aloud that it proves little."""
    drill = passing_drill((100.0, 100.0))
    conditions = drill.definition["objectives"]["restored_when"]["conditions"]
    drill.definition["objectives"]["restored_when"]["conditions"] = conditions[:4]
    scorecard = drill.judge(folder)
    recovery = scorecard["recovery"]
    assert scorecard["verdict"] == "pass"
    assert (recovery["outcome"], recovery["rta_seconds_low"], recovery["rta_seconds_high"]) == ("no_impact", 0, 0)
    assert "proves little" in recovery["reason"]


def test_definition_without_limits_judges_no_limit(folder: Path) -> None:
    """Criteria that are left out are reported and judged not_applicable, never pass."""
    drill = passing_drill()
    del drill.definition["criteria"]
    found = verdicts(drill.judge(folder))
    limited = ["duplicated_records", "skipped_records", "lost_records", "reordered_records"]
    limited += ["failed_produces", "final_lag", "peak_lag", "drain_time"]
    assert {name: found[name] for name in limited} == dict.fromkeys(limited, "not_applicable")
