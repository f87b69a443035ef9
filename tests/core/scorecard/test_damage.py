"""Each kind of damage flips exactly the checks it must; its harmless twin flips none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.scorecard import damage
from tests.core.scorecard.passing import Drill, Scorecard, passing_drill, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Damage = Callable[[Drill], None]

LEDGER = ("duplicated_records", "skipped_records", "lost_records", "reordered_records")
HOLE = dict.fromkeys((*LEDGER, "recovery_point", "failed_produces", "evidence_coverage"), "inconclusive")
UNDECIDED = {
    "recovery_time": "inconclusive",
    "capture_spans_recovery": "inconclusive",
    "clocks_agree": "not_applicable",
    "evidence_coverage": "inconclusive",
}

DAMAGES: list[tuple[Damage, dict[str, str]]] = [
    (damage.duplicated, {"duplicated_records": "fail"}),
    (damage.duplicated_within_limit, {}),
    (damage.captured_twice, {}),
    (damage.skipped, {"skipped_records": "fail"}),
    (damage.filtered, {}),
    (damage.skipped_within_limit, {}),
    (damage.lost, {"lost_records": "fail", "recovery_point": "fail"}),
    (damage.lost_within_limit, {}),
    (damage.log_lost_what_was_applied, {"recovery_point": "fail"}),
    (damage.overwritten, {"recovery_point": "fail"}),
    (damage.log_without_identity, {}),
    (damage.reordered, {"reordered_records": "fail"}),
    (damage.applied_at_once, {}),
    (damage.failed_produce, {"failed_produces": "fail"}),
    (damage.indeterminate_produce, {"failed_produces": "fail"}),
    (damage.aborted_produce, {}),
    (damage.late_step, {"runbook_step:declare": "fail"}),
    (damage.step_in_time, {}),
    (damage.unrecorded_step, {"runbook_step:switch": "inconclusive"}),
    (damage.step_of_another_kind, {}),
    (damage.missing_attachment, {"governance:IAM review": "inconclusive"}),
    (damage.missing_procedure, {"rollback_procedure": "inconclusive"}),
    (damage.never_rehearsed, {"rollback_rehearsed": "fail"}),
    (damage.nameless_owner, {"owners_named": "inconclusive"}),
    (damage.idle_partition, {"partitions_exercised": "inconclusive"}),
    (damage.hole_in_acks, HOLE),
    (damage.three_intervals_without_acks, {}),
    (damage.acks_ended_early, UNDECIDED),
    (damage.client_stats_ended_early, {"clients_reconnected": "inconclusive"}),
    (damage.client_stats_until_it_held, {}),
    (damage.log_ends_ended_early, {"final_lag": "inconclusive"}),
    (damage.clocks_far_apart, {"clocks_agree": "inconclusive"}),
    (damage.clocks_less_far_apart, {}),
    (damage.disconnected_client, {"clients_reconnected": "fail"}),
    (damage.one_broker_less, {}),
]
"""What is done → the checks whose verdict it changes, and to what."""


def changed(before: Scorecard, after: Scorecard) -> dict[str, str]:
    """Checks whose verdict is another one than before."""
    found, base = verdicts(after), verdicts(before)
    return {name: found.get(name, "gone") for name in base if found.get(name) != base[name]}


@pytest.mark.parametrize(("harm", "expected"), DAMAGES, ids=lambda value: getattr(value, "__name__", ""))
def test_damage_flips_exactly_the_checks_it_must(
    folder: Path, passing: Scorecard, harm: Damage, expected: dict[str, str]
) -> None:
    """Of one kind of damage, exactly the expected checks change, and the drill is as bad as the worst of them."""
    drill = passing_drill()
    harm(drill)
    scorecard = drill.judge(folder)
    worst = "fail" if "fail" in expected.values() else "inconclusive" if expected else "pass"
    assert changed(passing, scorecard) == expected
    assert scorecard["verdict"] == worst


def test_overwritten_record_is_told_from_a_missing_one(folder: Path) -> None:
    """A log record with another identity at an acknowledged place counts as missing and as overwritten."""
    drill = passing_drill()
    damage.overwritten(drill)
    totals = drill.judge(folder)["totals"]
    assert (totals["log_missing"], totals["overwritten"], totals["lost"]) == (1, 1, 0)


def test_backlog_behind_a_hole_of_the_commits_may_have_been_skipped(folder: Path, passing: Scorecard) -> None:
    """A record that looks like backlog because later commits were not captured does not leave skips at pass."""
    drill = passing_drill()
    cut = drill.tables["commits"][150]["committed_at"]
    drill.tables["commits"] = [commit for commit in drill.tables["commits"] if commit["committed_at"] <= cut]
    damage.without_heartbeats(drill, "commits", 20, 60)
    del drill.tables["applied"][-1]
    scorecard = drill.judge(folder)
    assert scorecard["totals"]["pending"] == 1
    assert changed(passing, scorecard)["skipped_records"] == "inconclusive"


def test_the_action_follows_from_what_failed(folder: Path) -> None:
    """A row that failed names what to invest in, and the first failed check decides what."""
    drill = passing_drill()
    damage.duplicated(drill)
    actions = {row["area"]: row["next_action"] for row in drill.judge(folder)["rows"]}
    assert actions.pop("offset_integrity").startswith("Make the consumer idempotent")
    assert set(actions.values()) == {None}
