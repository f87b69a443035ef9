"""What was not captured cannot vouch for anything: taking tables away never leaves a check that needs them at pass."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tests.core.scorecard.passing import passing_drill, verdicts
from tests.core.scorecard.passing_evidence import COLLECTORS, passing_tables

if TYPE_CHECKING:
    from pathlib import Path

LEDGER = {"duplicated_records", "skipped_records", "lost_records", "reordered_records"}
LAG = {"final_lag", "peak_lag", "drain_time"}
COVERED = {"evidence_coverage"}

NEEDS: dict[str, set[str]] = {
    "acks": {"topics_seen", "partitions_exercised", "recovery_time", "failed_produces", "recovery_point"}
    | LEDGER
    | COVERED,
    "log_records": {"recovery_point"},
    "log_scans": {"recovery_point"},
    "commits": {"groups_seen", "recovery_time", "commits_captured"} | LAG | COVERED,
    "applied": {"downstreams_seen", "recovery_time"} | LEDGER | COVERED,
    # Without log ends the recovery time stands on acknowledgements, as M7 says; a lag measured so is a lower bound.
    "watermarks": LAG | COVERED,
    "partition_states": {"recovery_time"} | COVERED,
    "connector_states": {"recovery_time"} | COVERED,
    "client_stats": {"clients_reconnected"},
    "events": {
        "recovery_time",
        "capture_spans_recovery",
        "runbook_step:declare",
        "runbook_step:switch",
        "peak_lag",
        "drain_time",
    },
    "heartbeats": {"clocks_agree"} | COVERED,
    "broker_states": set(),
    "group_states": set(),
    "cluster_info": set(),
}
"""Table → the checks of the passing drill that cannot pass without it."""
TOGETHER = {("partition_states", "watermarks"): {"partitions_exercised"}}
"""Tables of which one is enough, but not none."""
UNASKED = {"broker_states", "group_states", "cluster_info", "client_stats"}
"""Tables on which no limit stands: without them their figures are not_applicable, and the drill passes."""

PAIRS = sorted(combinations(sorted(set(NEEDS) - UNASKED), 2))


def needed(tables: tuple[str, ...]) -> set[str]:
    """Every check that needs one of some tables, or all of them together."""
    jointly = [checks for group, checks in TOGETHER.items() if set(group) <= set(tables)]
    return set().union(*(NEEDS[table] for table in tables), *jointly)


def test_every_table_of_the_drill_is_judged_here() -> None:
    """The table of needs names every table that the passing drill captures, so that a new one is thought about."""
    assert set(NEEDS) == set(passing_tables())


@pytest.mark.parametrize("table", sorted(NEEDS))
def test_no_check_passes_without_a_table_it_needs(folder: Path, table: str) -> None:
    """Of one table taken away from a passing bundle, every check that needs it stops passing, and so does the drill."""
    scorecard = passing_drill().without(table).judge(folder)
    found = verdicts(scorecard)
    assert sorted(name for name in NEEDS[table] if found.get(name) == "pass") == []
    assert (scorecard["verdict"] == "pass") == (table in UNASKED)


@pytest.mark.parametrize("tables", PAIRS, ids="-".join)
def test_no_check_passes_without_two_tables(folder: Path, tables: tuple[str, str]) -> None:
    """Two tables taken away leave no check at pass that needs either, or both: one does not cover for the other."""
    scorecard = passing_drill().without(*tables).judge(folder)
    found = verdicts(scorecard)
    assert sorted(name for name in needed(tables) if found.get(name) == "pass") == []
    assert scorecard["verdict"] != "pass"


@pytest.mark.parametrize("table", sorted(set(NEEDS) - {"broker_states", "group_states", "cluster_info"}))
def test_a_table_without_rows_is_no_better_than_none(folder: Path, table: str) -> None:
    """A table that is there and empty proves as little as one that was never captured."""
    drill = passing_drill()
    drill.tables[table] = []
    found = verdicts(drill.judge(folder))
    assert sorted(name for name in NEEDS[table] if found.get(name) == "pass") == []


@pytest.mark.parametrize("table", sorted(set(COLLECTORS) & set(NEEDS) - UNASKED))
def test_a_table_without_its_heartbeats_either(folder: Path, table: str) -> None:
    """A collector that never ran: neither its rows nor its heartbeats are there, and nothing that needs it passes."""
    drill = passing_drill().without(table)
    drill.tables["heartbeats"] = [row for row in drill.tables["heartbeats"] if row["collector"] != table]
    scorecard = drill.judge(folder)
    found = verdicts(scorecard)
    assert sorted(name for name in NEEDS[table] if found.get(name) == "pass") == []
    assert scorecard["verdict"] != "pass"


def test_a_bundle_without_evidence_passes_nothing_that_stands_on_evidence(folder: Path) -> None:
    """A definition alone is inconclusive; only what people wrote down, owners and the way back, can pass."""
    drill = passing_drill()
    scorecard = drill.without(*drill.tables).judge(folder)
    passed = {name for name, verdict in verdicts(scorecard).items() if verdict == "pass"}
    assert scorecard["verdict"] == "inconclusive"
    assert passed == {
        "owners_named",
        "evidence_sealed",
        "governance:IAM review",
        "rollback_authority",
        "rollback_procedure",
        "rollback_rehearsed",
        "rollback_sign_offs",
    }
