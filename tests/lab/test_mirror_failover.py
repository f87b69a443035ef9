"""A flow that moves to another cluster through MirrorMaker 2, and back: what was applied again, and nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.observed import Observed, observe
from tests.lab.scenarios import mirror_failover, mirror_switchover
from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.truth import Truth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster
    from tests.lab.scenarios.mirror_conduct import MirrorTruth

pytestmark = pytest.mark.xdist_group("lab")


def expected_totals(truth: MirrorTruth) -> dict[str, int]:
    """The ledger's totals, counted by record id from the producers' journals and the sink's table."""
    counts = [truth.effects[record_id] for record_id in truth.acked]
    return {
        "acked": len(counts),
        "once": counts.count(1),
        "duplicated": sum(count > 1 for count in counts),
        "lost": 0,
        "skipped": 0,
        "pending": 0,
        "unresolved": 0,
        "applied": len(truth.applied),
        "extra": sum(count - 1 for count in counts if count > 1),
        "unacked": sum(count for record_id, count in truth.effects.items() if record_id not in truth.acked),
    }


def observe_moved(bundle: Path, truth: MirrorTruth) -> Observed:
    """An accepted bundle whose outcomes and ledger are as they are known from outside; every record has an effect."""
    observed = observe(bundle, Truth(sent=len(truth.settled), settled=truth.settled, applied=[], log={}, committed={}))
    outcomes = observed.outcomes()
    assert outcomes.pop("acked") == truth.acked
    assert set().union(*outcomes.values()) == truth.unsettled
    expected = expected_totals(truth)
    assert {name: observed.totals[name] for name in expected} == expected
    assert min(truth.effects[record_id] for record_id in truth.acked) >= 1
    before, after = truth.applied[: truth.applied_before_switch], truth.applied[truth.applied_before_switch :]
    assert set(before) & set(after), "translated offsets are lower than what was applied: something is applied again"
    assert observed.scorecard["recovery_point"]["rpa_records"] == 0
    assert {row["cluster"] for row in observed.rows("commits")} == {"primary", "recovery"}
    return observed


def synced(observed: Observed) -> set[str]:
    """Topics of the offset syncs since the fault; what was in force before may be another flow's."""
    (injected_at,) = (row["occurred_at"] for row in observed.rows("events") if row["kind"] == "inject")
    return {row["topic"] for row in observed.rows("offset_syncs") if row["emitted_at"] > injected_at}


def translated(observed: Observed) -> set[tuple[str, str, str]]:
    """Source, target and the target's topic of every checkpoint."""
    return {(row["source_cluster"], row["target_cluster"], row["topic"]) for row in observed.rows("checkpoints")}


def test_failover_and_back(lab_cluster: LabCluster, tmp_path: Path) -> None:
    """Every acknowledged record has an effect; what came twice is counted; the translation is on record both ways."""
    pytest.importorskip("adbc_driver_sqlite")
    bundle = tmp_path / "bundle"
    truth = mirror_failover.conduct(lab_cluster, bundle, Traffic(records_per_second=150))
    assert truth.unsettled, "records were on their way when every broker was killed"
    observed = observe_moved(bundle, truth)
    assert translated(observed) == {
        ("primary", "recovery", mirror_failover.MIRRORED),
        ("recovery", "primary", mirror_failover.MIRRORED_BACK),
    }
    assert synced(observed) == {mirror_failover.HERE}


def test_switchover_to_the_same_topic_names(lab_cluster: LabCluster, tmp_path: Path) -> None:
    """Where names are kept, one topic name is two logs: what was mirrored stands in both, and nothing is lost."""
    pytest.importorskip("adbc_driver_sqlite")
    bundle = tmp_path / "bundle"
    traffic = Traffic(records_per_second=150, steady_seconds=2, after_seconds=3)
    truth = mirror_switchover.conduct(lab_cluster, bundle, traffic)
    assert not truth.unsettled, "both clusters were up all the time"
    observed = observe_moved(bundle, truth)
    topic = mirror_switchover.FLOW.topic
    assert translated(observed) == {("primary", "recovery", topic)}
    assert synced(observed) == {topic}
    ids = {name: {row["record_id"] for row in logged(observed, name)} for name in ("primary", "recovery")}
    assert {row["topic"] for name in ids for row in logged(observed, name)} == {topic}
    assert ids["primary"] < ids["recovery"] == truth.acked
    assert observed.totals["log_missing"] == observed.totals["produced_twice"] == 0


def logged(observed: Observed, cluster: str) -> list[dict[str, Any]]:
    """What was read back from one cluster."""
    return [row for row in observed.rows("log_records") if row["cluster"] == cluster]
