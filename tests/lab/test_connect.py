"""Connectors that stop: one that says so, and one that says that it is RUNNING."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pytest

from tests.lab.databases import needs_postgres  # noqa: F401  (fixture)
from tests.lab.observed import observe
from tests.lab.scenarios import connect_task_failed, connect_task_hangs
from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.truth import COUNTED, Truth, expected_totals

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster

pytestmark = pytest.mark.xdist_group("lab")

TRAFFIC = Traffic(records_per_second=150)
CONTINUOUS = {"acks", "applied", "commits"}


def rows(bundle: Path, table: str) -> list[dict[str, Any]]:
    """Every row of an evidence table."""
    found: list[dict[str, Any]] = ds.dataset(bundle / "evidence" / table).to_table().to_pylist()
    return found


def instant(bundle: Path, kind: str) -> datetime:
    """When the event of a kind happened."""
    [event] = [row for row in rows(bundle, "events") if row["kind"] == kind]
    found: datetime = event["occurred_at"]
    return found


def condition(scorecard: dict[str, Any], name: str) -> dict[str, Any]:
    """One recovery condition of a scorecard."""
    conditions: list[dict[str, Any]] = scorecard["recovery"]["conditions"]
    [found] = [entry for entry in conditions if entry["name"].startswith(name)]
    return found


def assert_nothing_was_missed(scorecard: dict[str, Any], truth: Truth) -> None:
    """The ledger says what producer, segment files and table say, record by record; logs and tables have no hole.

    Samplers may be late on a busy machine, and say so: what reads a log or a table misses nothing all the same.
    """
    assert {name: scorecard["totals"][name] for name in COUNTED} == expected_totals(truth)
    assert truth.sent == len(truth.settled) > 0
    assert [entry for entry in scorecard["coverage"] if entry["table"] in CONTINUOUS and not entry["complete"]] == []


def assert_only_restored_after_the_repair(scorecard: dict[str, Any], bundle: Path) -> None:
    """The connectors are bad from the fault on, and good only when it is over."""
    connectors = condition(scorecard, "connectors:")
    assert connectors["outcome"] == "restored"
    healed_at = instant(bundle, "heal").isoformat().replace("+00:00", "Z")
    assert connectors["impact_at"] < healed_at < connectors["restored_at"]


def test_a_task_that_fails(lab_cluster: LabCluster, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """FAILED is seen with its reason, and recovery is what comes after the restart, not the restart."""
    request.getfixturevalue("needs_postgres")
    bundle = tmp_path / "bundle"
    truth = connect_task_failed.conduct(lab_cluster, bundle, TRAFFIC)
    scorecard = observe(bundle, truth).scorecard
    assert_nothing_was_missed(scorecard, truth)
    assert_only_restored_after_the_repair(scorecard, bundle)
    failed = [row for row in rows(bundle, "connector_states") if row["state"] == "FAILED"]
    assert {row["task_id"] for row in failed} == {0}
    assert all("closed" in row["trace"] for row in failed)


def test_a_task_that_hangs_while_running(
    lab_cluster: LabCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every state is RUNNING all along; progress stands, and that alone tells, until it advances again."""
    request.getfixturevalue("needs_postgres")
    bundle = tmp_path / "bundle"
    truth = connect_task_hangs.conduct(lab_cluster, bundle, TRAFFIC)
    scorecard = observe(bundle, truth).scorecard
    assert_nothing_was_missed(scorecard, truth)
    assert {row["state"] for row in rows(bundle, "connector_states")} == {"RUNNING"}
    assert_only_restored_after_the_repair(scorecard, bundle)
    hung = (instant(bundle, "inject"), instant(bundle, "declare"))
    during = [row["applied_at"] for row in rows(bundle, "applied") if hung[0] < row["applied_at"] < hung[1]]
    assert during == []
