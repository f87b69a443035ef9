"""Offset integrity: was every acknowledged record applied exactly as often as it should be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.scorecard.checks import Case, Check, limited, not_on_simulated, reported
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEDGER = ("ledger.parquet", "findings.parquet")
_FINDINGS = {
    "commit_rewind": ("commit_rewinds", "commit", "that went back"),
    "commit_jump": ("commit_jumps", "commit", "that passed records never applied"),
    "offset_reset": ("offset_resets", "offset reset", "to the log start or end"),
    "commit_above_log_end": ("commits_above_log_end", "commit", "above the log end"),
}


def offset_integrity(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    criteria, totals = case.drill.criteria, case.measures.totals
    unresolved = totals["unresolved"]
    doubts = _doubts(case)
    yield limited(
        "duplicated_records", _known(case, "duplicated"), criteria.max_duplicated_records, "records",
        f"{counted(totals['duplicated'], 'record')} applied more than once"
        f" ({counted(totals['extra'], 'surplus effect')})",
        doubts=doubts, evidence=_LEDGER,
    )  # fmt: skip
    yield limited(
        "skipped_records", _known(case, "skipped"), criteria.max_skipped_records, "records",
        f"{counted(totals['skipped'], 'record')} passed by the commit and never applied",
        high=totals["skipped"] + unresolved, doubts=[*doubts, _passed_unseen(case)], evidence=_LEDGER,
    )  # fmt: skip
    lost = limited(
        "lost_records", _known(case, "lost"), criteria.max_lost_records, "records",
        f"{counted(totals['lost'], 'record')} in neither the downstream nor the log",
        high=totals["lost"] + unresolved + case.measures.unscanned, doubts=doubts, evidence=_LEDGER,
    )  # fmt: skip
    yield not_on_simulated(lost, case)
    yield limited(
        "reordered_records", _known(case, "reordered"), criteria.max_reordered_records, "records",
        f"{counted(totals['reordered'], 'record')} first applied after a record behind",
        doubts=doubts, evidence=_LEDGER,
    )  # fmt: skip
    yield _recovery_point(case)
    yield _commit_evidence(case)
    yield from _reported(case)


def _known(case: Case, name: str) -> int | None:
    """A count of the ledger; None where no record, no effect or no one who looked stands behind it."""
    measures = case.measures
    captured = measures.coverage_of("acks").was_captured and measures.coverage_of("applied").was_captured
    return measures.totals[name] if captured and measures.totals["acked"] else None


def _doubts(case: Case) -> list[str | None]:
    measures = case.measures
    if not case.drill.flow.downstreams:
        return ["the definition names no downstream"]
    doubts = [measures.coverage_of(table).doubt() for table in ("acks", "applied")]
    if not measures.totals["acked"]:
        doubts.append("no acknowledged record was captured")
    silent = [row["name"] for row in measures.scope if row["kind"] == "downstream" and not row["row_count"]]
    if silent:
        doubts.append(f"no applied row of {', '.join(silent)} was captured")
    return doubts


def _passed_unseen(case: Case) -> str | None:
    """Backlog is a skip if the commit that passed it was not captured."""
    return case.measures.coverage_of("commits").doubt() if case.measures.totals["pending"] else None


def _recovery_point(case: Case) -> Check:
    point = case.measures.recovery_point
    doubt = case.measures.coverage_of("acks").doubt()
    verdict, reason = point.verdict, point.reason
    if verdict is Verdict.PASS and doubt:
        verdict, reason = Verdict.INCONCLUSIVE, f"{reason}; {doubt}"
    return Check("recovery_point", verdict, point.rpa_records, point.rpo_records, "records", reason, _LEDGER)


def _commit_evidence(case: Case) -> Check:
    """Without commits, rewinds, jumps and resets are invisible, and a skip cannot be told from backlog."""
    name, unit = "commits_captured", "groups"
    groups = [row for row in case.measures.scope if row["kind"] == "group"]
    missing = [row["name"] for row in groups if not row["row_count"]]
    doubt = case.measures.coverage_of("commits").doubt()
    if not groups:
        return Check(name, Verdict.INCONCLUSIVE, None, 0, unit, "the definition names no group", ("drill.yaml",))
    if missing or doubt:
        reason = f"no commit of {', '.join(missing)} was captured" if missing else str(doubt)
        return Check(name, Verdict.INCONCLUSIVE, len(missing), 0, unit, reason, ("coverage.parquet",))
    return Check(
        name,
        Verdict.PASS,
        0,
        0,
        unit,
        f"the commits of {counted(len(groups), 'group')} were captured",
        ("lag.parquet",),
    )


def _reported(case: Case) -> Iterator[Check]:
    totals, counts = case.measures.totals, case.measures.finding_counts
    pairs = (
        ("pending_records", "pending", "record", "still backlog when the capture ended"),
        ("unresolved_records", "unresolved", "record", "without a fate that the evidence could tell"),
        ("unacked_effects", "unacked", "effect", "in a downstream that belong to no acknowledged record"),
        ("produced_twice", "produced_twice", "record", "standing at two or more coordinates of a topic"),
        ("overwritten_records", "overwritten", "record", "replaced in the log by others"),
    )
    for name, key, unit, what in pairs:
        yield reported(name, totals[key], f"{unit}s", f"{counted(totals[key], unit)} {what}", _LEDGER)
    for kind, (name, noun, what) in _FINDINGS.items():
        count = counts.get(kind, 0)
        yield reported(name, count, "findings", f"{counted(count, noun)} {what}", ("findings.parquet",))
