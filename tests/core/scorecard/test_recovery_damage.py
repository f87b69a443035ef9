"""What happens to the recovery when it does not come, comes twice, has no beginning, or cannot be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.scorecard import damage
from tests.core.scorecard.passing import passing_drill, row_verdicts, verdicts
from tests.core.scorecard.passing_evidence import us

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.scorecard.passing import Drill

HAS_NO_CLOCK = {
    "recovery_time": "inconclusive",
    "capture_spans_recovery": "inconclusive",
    "peak_lag": "inconclusive",
    "drain_time": "inconclusive",
    "evidence_coverage": "inconclusive",
    "runbook_step:declare": "not_applicable",
    "runbook_step:switch": "not_applicable",
}


def without_event(drill: Drill, kind: str) -> Drill:
    """The drill without events of one kind."""
    drill.tables["events"] = [event for event in drill.tables["events"] if event["kind"] != kind]
    return drill


def test_without_a_clock_start_nothing_about_time_passes(folder: Path) -> None:
    """A drill in which nobody recorded the inject has no recovery time, no peak after it and no runbook in time."""
    scorecard = without_event(passing_drill(), "inject").judge(folder)
    found = verdicts(scorecard)
    assert {name: found[name] for name in HAS_NO_CLOCK} == HAS_NO_CLOCK
    assert scorecard["recovery"]["outcome"] == "unknown"
    assert scorecard["recovery"]["clock_started_at"] is None
    assert row_verdicts(scorecard)["offset_integrity"] == "pass"


def test_another_event_may_start_the_clock(folder: Path) -> None:
    """A definition may start the clock at any kind of event; then recovery is counted from there."""
    drill = passing_drill()
    drill.definition["objectives"]["clock_starts"] = "declare"
    recovery = drill.judge(folder)["recovery"]
    assert recovery["clock_started_at"] == "2026-11-20T10:00:06Z"
    assert recovery["rta_seconds_high"] == 18.0005


@pytest.mark.parametrize(
    ("rto_seconds", "verdict"), [(120, "inconclusive"), (61, "inconclusive"), (59, "fail"), (0, "fail")]
)
def test_a_service_that_never_held_again_is_censored(folder: Path, rto_seconds: int, verdict: str) -> None:
    """Not restored inside the capture: a fail if it was broken past the objective, else the capture was too short."""
    drill = without_event(passing_drill(), "application_ok")
    drill.definition["objectives"]["rto_seconds"] = rto_seconds
    recovery = drill.judge(folder)["recovery"]
    assert (recovery["outcome"], recovery["verdict"]) == ("censored", verdict)
    assert (recovery["rta_seconds_low"], recovery["rta_seconds_high"]) == (59.9995, None)
    assert recovery["restored_at"] is None


@pytest.mark.parametrize(
    ("rto_seconds", "verdict"), [(24.0005, "pass"), (24, "inconclusive"), (23, "inconclusive"), (22.9995, "fail")]
)
def test_an_objective_inside_the_interval_is_undecided(folder: Path, rto_seconds: float, verdict: str) -> None:
    """Pass if even the high end keeps the objective, fail if even the low end reaches it, else inconclusive."""
    drill = passing_drill()
    drill.definition["objectives"]["rto_seconds"] = rto_seconds
    recovery = drill.judge(folder)["recovery"]
    assert recovery["verdict"] == verdict
    assert ("sampling finer than" in recovery["reason"]) == (verdict == "inconclusive")


def test_a_relapse_is_counted_and_said(folder: Path) -> None:
    """A service that broke again after it had held is restored, with the relapse on record."""
    scorecard = passing_drill((2.0, 20.0), (40.0, 47.0)).judge(folder)
    (relapses,) = (check for row in scorecard["rows"] for check in row["checks"] if check["name"] == "relapses")
    assert scorecard["recovery"]["restored_at"] == "2026-11-20T10:00:24Z"
    assert scorecard["recovery"]["relapses"] == 1
    assert (relapses["measured"], relapses["verdict"]) == (1, "not_applicable")


def test_recovery_that_did_not_hold_long_enough_is_none(folder: Path) -> None:
    """Good steps that end before hold_seconds restore nothing: the second recovery counts."""
    scorecard = passing_drill((2.0, 20.0), (30.0, 37.0)).judge(folder)
    assert scorecard["recovery"]["restored_at"] > "2026-11-20T10:00:37Z"
    assert scorecard["recovery"]["relapses"] == 0


def simulated() -> Drill:
    """The passing drill on a cluster that only imitates Kafka."""
    drill = passing_drill()
    drill.tables["cluster_info"][0]["engine"] = "librdkafka-mock"
    return drill


def test_a_simulated_cluster_proves_nothing_about_replication_and_loss(folder: Path) -> None:
    """Loss and replication are not judged on a simulated cluster, and the scorecard names the cluster at the top."""
    scorecard = simulated().judge(folder)
    found = verdicts(scorecard)
    assert scorecard["drill"]["simulated_clusters"] == ["primary"]
    for name in ("lost_records", "recovery_point", "under_replicated:primary"):
        assert found[name] == "not_applicable", name
    assert scorecard["recovery_point"]["verdict"] == "not_applicable"
    assert scorecard["verdict"] == "inconclusive"  # it was asked whether replication recovered, and nobody can tell


def test_losses_on_a_simulated_cluster_are_reported_but_not_judged(folder: Path) -> None:
    """What the mock loses does not fail the drill: the figure is there, the verdict is not_applicable."""
    drill = simulated()
    damage.lost(drill)
    (lost,) = (
        check for row in drill.judge(folder)["rows"] for check in row["checks"] if check["name"] == "lost_records"
    )
    assert (lost["measured"], lost["verdict"]) == (1, "not_applicable")
    assert "simulated cluster" in lost["reason"]


def test_a_simulated_drill_can_pass_what_it_can_show(folder: Path) -> None:
    """Without a condition on replication, a simulated drill passes; it is still said to be simulated."""
    drill = simulated()
    conditions = drill.definition["objectives"]["restored_when"]["conditions"]
    conditions[:] = [condition for condition in conditions if condition["kind"] != "under_replicated"]
    scorecard = drill.judge(folder)
    assert scorecard["verdict"] == "pass"
    assert scorecard["drill"]["simulated_clusters"] == ["primary"]


def test_a_hole_where_the_service_recovered_widens_the_interval(folder: Path) -> None:
    """Steps that nobody watched lie between the last bad and the first good one: the interval grows over them."""
    drill = passing_drill()
    damage.without_heartbeats(drill, "partition_states", 15, 28)
    recovery = drill.judge(folder)["recovery"]
    assert recovery["rta_seconds_low"] == 22.9995  # the event had not happened yet, whoever watched the partitions
    assert recovery["rta_seconds_high"] == 28.0005


def test_a_capture_that_began_too_late_has_no_baseline(folder: Path) -> None:
    """A capture that starts at the clock start has nothing to compare with: that is said, and it is no pass."""
    drill = passing_drill()
    for table, instant in (("acks", "acked_at"), ("applied", "applied_at"), ("commits", "committed_at")):
        drill.tables[table] = [row for row in drill.tables[table] if row[instant] >= us(0)]
    for table in (
        "watermarks",
        "partition_states",
        "broker_states",
        "group_states",
        "connector_states",
        "client_stats",
    ):
        drill.tables[table] = [row for row in drill.tables[table] if row["observed_at"] >= us(0)]
    drill.tables["heartbeats"] = [beat for beat in drill.tables["heartbeats"] if beat["occurred_at"] >= us(0)]
    found = verdicts(drill.judge(folder))
    assert found["capture_spans_recovery"] == "inconclusive"
    assert found["recovery_time"] == "inconclusive"
