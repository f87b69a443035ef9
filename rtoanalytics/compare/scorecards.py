"""scorecard.json as typed facts: the part of it that drills are compared by, checked when it is read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rtoanalytics.verdict import Verdict


class _Facts(BaseModel):
    """A frozen part of the document; keys that are not compared are passed over, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class DrillPart(_Facts):
    """What was drilled, and when."""

    id: str
    title: str | None = None
    flow: str
    inject: str | None = None
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    simulated_clusters: tuple[str, ...] = ()


class Check(_Facts):
    """One check of one row."""

    name: str
    verdict: Verdict
    measured: float | None
    limit: float | None
    reason: str | None = None


class Row(_Facts):
    """One row of the scorecard."""

    area: str
    verdict: Verdict
    checks: tuple[Check, ...]


class Phase(_Facts):
    """One phase of recovery and the seconds it took."""

    name: str
    seconds: float | None


class Recovery(_Facts):
    """Recovery time as an interval, in seconds since the clock start."""

    clock_started_at: AwareDatetime | None
    rta_seconds_low: float | None
    rta_seconds_high: float | None
    rto_seconds: float | None
    outcome: str
    verdict: Verdict
    reason: str | None = None
    phases: tuple[Phase, ...] = ()


class Backlog(_Facts):
    """Burn-down of one group."""

    group_id: str
    peak_at: AwareDatetime | None
    drained_at: AwareDatetime | None
    final_lag_records: int | None
    threshold_records: int | None = None


class Coverage(_Facts):
    """How one collector captured one table."""

    table: str
    holes: int = Field(ge=0)


class Scorecard(_Facts):
    """What scorecard.json says, as far as drills are compared by it."""

    schema_version: Literal[1]
    drill: DrillPart
    verdict: Verdict
    rows: tuple[Row, ...]
    recovery: Recovery
    totals: dict[str, Any]
    backlog: tuple[Backlog, ...]
    coverage: tuple[Coverage, ...]

    def check(self, name: str) -> Check | None:
        """The check of that name, or None."""
        return next((check for row in self.rows for check in row.checks if check.name == name), None)

    def holes(self, table: str) -> int | None:
        """Holes in the capture of a table over all its collectors; None where it was not captured."""
        found = [entry.holes for entry in self.coverage if entry.table == table]
        return sum(found) if found else None
