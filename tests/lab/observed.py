"""What a captured bundle says, for tests that hold it against what is known from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.scenarios.truth import Coordinates, Truth

_COULD_NOT_RUN = 3
_SECONDS = 120


@dataclass(frozen=True)
class Observed:
    """A sealed bundle that `rto check` and `rto analyze` have accepted, and what was known without it."""

    bundle: Path
    truth: Truth
    scorecard: dict[str, Any]

    @property
    def totals(self) -> dict[str, int]:
        """The totals of the ledger."""
        return dict(self.scorecard["totals"])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of an evidence table."""
        found: list[dict[str, Any]] = ds.dataset(self.bundle / "evidence" / table).to_table().to_pylist()
        return found

    def offsets_with_fate(self, fate: str) -> set[Coordinates]:
        """Coordinates of the records in the findings' runs of a fate."""
        acked = {(record.partition, record.offset) for record in self.truth.acked}
        runs = self._runs(fate)
        return {place for place in acked if any(_is_inside(place, run) for run in runs)}

    def logged_ids(self) -> dict[Coordinates, str]:
        """Record id by coordinates, of what was read back from the log."""
        return {(row["partition"], row["record_offset"]): row["record_id"] for row in self.rows("log_records")}

    def outcomes(self) -> dict[str, set[str]]:
        """Record ids by the outcome that was captured."""
        found: dict[str, set[str]] = {}
        for row in self.rows("acks"):
            found.setdefault(row["outcome"], set()).add(row["record_id"])
        return found

    def events(self) -> list[str]:
        """Kinds of the captured events, in the order they occurred."""
        return [row["kind"] for row in sorted(self.rows("events"), key=lambda row: row["occurred_at"])]

    def _runs(self, fate: str) -> list[dict[str, Any]]:
        rows = pq.read_table(self.bundle / "results" / "findings.parquet").to_pylist()
        return [row for row in rows if row["kind"] == "run" and row["fate"] == fate]


def observe(bundle: Path, truth: Truth) -> Observed:
    """Have the bundle checked and analyzed by the command, which must not refuse it."""
    checked = _rto("check", str(bundle))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    analyzed = _rto("analyze", str(bundle), "--json")
    assert analyzed.returncode != _COULD_NOT_RUN, analyzed.stderr
    return Observed(bundle, truth, json.loads(analyzed.stdout))


def _rto(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rtoanalytics", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)


def _is_inside(place: Coordinates, run: dict[str, Any]) -> bool:
    partition, offset = place
    return bool(run["partition"] == partition and run["start_offset"] <= offset < run["end_offset"])
