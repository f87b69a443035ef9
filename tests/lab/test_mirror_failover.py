"""A flow that moves to another cluster through MirrorMaker 2 and back: what was applied again, and nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.observed import observe
from tests.lab.scenarios import mirror_failover
from tests.lab.scenarios.flow import Traffic
from tests.lab.scenarios.truth import Truth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.harness.kafka import LabCluster


pytestmark = pytest.mark.xdist_group("lab")


def expected_totals(truth: mirror_failover.FailoverTruth) -> dict[str, int]:
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


def test_failover_and_back(lab_cluster: LabCluster, tmp_path: Path) -> None:
    """Every acknowledged record has an effect; what came twice is counted; the translation is on record both ways."""
    pytest.importorskip("adbc_driver_sqlite")
    bundle = tmp_path / "bundle"
    truth = mirror_failover.conduct(lab_cluster, bundle, Traffic(records_per_second=150))
    observed = observe(bundle, Truth(sent=len(truth.settled), settled=truth.settled, applied=[], log={}, committed={}))
    scorecard, outcomes = observed.scorecard, observed.outcomes()
    assert outcomes.pop("acked") == truth.acked
    assert set().union(*outcomes.values()) == truth.unsettled
    assert truth.unsettled, "records were on their way when every broker was killed"
    expected = expected_totals(truth)
    assert {name: scorecard["totals"][name] for name in expected} == expected
    assert min(truth.effects[record_id] for record_id in truth.acked) >= 1
    before, after = truth.applied[: truth.applied_before_switch], truth.applied[truth.applied_before_switch :]
    assert set(before) & set(after), "translated offsets are lower than what was applied: something is applied again"
    assert scorecard["recovery_point"]["rpa_records"] == 0
    translated = {(row["source_cluster"], row["target_cluster"], row["topic"]) for row in observed.rows("checkpoints")}
    assert translated == {
        ("primary", "recovery", mirror_failover.MIRRORED),
        ("recovery", "primary", mirror_failover.MIRRORED_BACK),
    }
    assert {row["topic"] for row in observed.rows("offset_syncs")} == {mirror_failover.HERE}
    assert {row["cluster"] for row in observed.rows("commits")} == {"primary", "recovery"}
