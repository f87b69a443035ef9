"""A drill that is moved to another date is the same drill."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from rtoanalytics.analysis import analyze_bundle
from tests.lab.dating import move_to

SAMPLE = Path(__file__).parents[2] / "sample_data" / "demo-broker-loss"
DAY = date(2026, 1, 20)


def without_instants(document: object) -> Any:  # noqa: ANN401  (any JSON)
    """A JSON document without its instants, whose order among each other is that of everything else."""
    if isinstance(document, dict):
        return {
            key: without_instants(value) for key, value in document.items() if key != "at" and not key.endswith("_at")
        }
    return [without_instants(value) for value in document] if isinstance(document, list) else document


def test_nothing_but_the_date_changes(tmp_path: Path) -> None:
    """Ledger, backlog and recovery are the same; the drill begins on the day it was moved to, and says so."""
    bundle = tmp_path / "moved"
    shutil.copytree(SAMPLE, bundle, ignore=shutil.ignore_patterns("results", "manifest.json"))
    before = analyze_bundle(bundle)
    days = move_to(bundle, DAY)
    after = analyze_bundle(bundle)
    for part in ("ledger", "totals", "backlog", "recovery", "recovery_point"):
        assert without_instants(after[part]) == without_instants(before[part]), part
    assert datetime.fromisoformat(after["recovery"]["clock_started_at"]).astimezone(UTC).date() == DAY
    events = pq.read_table(bundle / "evidence" / "events", partitioning=None).to_pylist()
    assert any(f"moved by {days} days" in (event["text"] or "") for event in events), json.dumps(days)
