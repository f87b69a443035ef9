"""M10: how many acknowledged records did the flow lose?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rtoanalytics.verdict import Verdict


@dataclass(frozen=True)
class RecoveryPoint:
    """The recovery point actual against its objective. Unit: records; seconds before the clock start."""

    rpo_records: int | None
    rpa_records: int
    rpa_seconds: float | None
    unjudged: int
    verdict: Verdict
    reason: str


def recovery_point(row: dict[str, Any], *, rpo_records: int | None) -> RecoveryPoint:
    """The recovery point of the one row of the relation `recovery_point`.

    1. No objective, or a simulated cluster: not_applicable.
    2. More records missing than allowed: fail, whatever else is not known.
    3. No acknowledged record, or one that no scan can judge: inconclusive.
    4. Else pass.

    What it does not prove: loss of records that were never acknowledged.

    >>> row = dict(acked=5, rpa_records=0, rpa_seconds=0.0, unjudged=5, is_simulated=False)
    >>> recovery_point(row, rpo_records=0).verdict.value
    'inconclusive'
    """
    verdict, reason = _judge(row, rpo_records)
    return RecoveryPoint(rpo_records, row["rpa_records"], row["rpa_seconds"], row["unjudged"], verdict, reason)


def _judge(row: dict[str, Any], rpo_records: int | None) -> tuple[Verdict, str]:
    missing, acked, unjudged = row["rpa_records"], row["acked"], row["unjudged"]
    if row["is_simulated"]:
        return Verdict.NOT_APPLICABLE, "simulated cluster: its log proves nothing about loss"
    if rpo_records is None:
        return Verdict.NOT_APPLICABLE, f"{missing:,} acknowledged records are missing; no rpo_records was set"
    if missing > rpo_records:
        return Verdict.FAIL, f"{missing:,} of {acked:,} acknowledged records are missing"
    if not acked:
        return Verdict.INCONCLUSIVE, "no acknowledged record was captured"
    if unjudged:
        return (
            Verdict.INCONCLUSIVE,
            f"{unjudged:,} of {acked:,} acknowledged records lie where no log scan can judge them",
        )
    return Verdict.PASS, f"{missing:,} of {acked:,} acknowledged records are missing"
