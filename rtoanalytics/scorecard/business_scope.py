"""Business scope: what was drilled, who owns it, and did the evidence see it at work?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.scorecard.checks import Case, Check
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEEN_IN = {
    "topic": "no acknowledged record was captured",
    "group": "no commit was captured",
    "downstream": "no applied row was captured",
}


def business_scope(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    for kind in ("topic", "group", "downstream"):
        yield _seen(case, kind)
    yield _owned(case)
    yield _exercised(case)


def _seen(case: Case, kind: str) -> Check:
    named = [row for row in case.measures.scope if row["kind"] == kind]
    unseen = [row["name"] for row in named if not row["row_count"]]
    name, unit = f"{kind}s_seen", f"{kind}s"
    if not named:
        return Check(name, Verdict.INCONCLUSIVE, None, 0, unit, f"the definition names no {kind}", ("drill.yaml",))
    if unseen:
        reason = f"{', '.join(unseen)}: {_SEEN_IN[kind]}"
        return Check(name, Verdict.INCONCLUSIVE, len(unseen), 0, unit, reason, ("coverage.parquet",))
    return Check(
        name,
        Verdict.PASS,
        0,
        0,
        unit,
        f"{counted(len(named), kind)} named, every one seen at work",
        ("ledger.parquet",),
    )


def _owned(case: Case) -> Check:
    flow = case.drill.flow
    owners = {f"flow {flow.name}": flow.owner}
    owners |= {f"topic {topic.name}": topic.owner for topic in flow.topics}
    owners |= {f"group {group.id}": group.owner for group in flow.groups}
    owners |= {f"downstream {downstream.name}": downstream.owner for downstream in flow.downstreams}
    unowned = [name for name, owner in owners.items() if not owner]
    if unowned:
        reason = f"nobody is named as owner of {', '.join(unowned)}"
        return Check("owners_named", Verdict.INCONCLUSIVE, len(unowned), 0, "parts", reason, ("drill.yaml",))
    return Check("owners_named", Verdict.PASS, 0, 0, "parts", "every part of the flow has an owner", ("drill.yaml",))


def _exercised(case: Case) -> Check:
    partitions = case.measures.partitions
    idle = [f"{row['topic']}-{row['partition']} on {row['cluster']}" for row in partitions if not row["acked"]]
    name, unit, evidence = "partitions_exercised", "partitions", ("ledger.parquet",)
    if not partitions:
        return Check(name, Verdict.INCONCLUSIVE, None, 0, unit, "no partition took a record", evidence)
    if not any(row["is_listed"] for row in partitions):
        reason = "neither log ends nor partition states were captured: an idle partition would not be noticed"
        return Check(name, Verdict.INCONCLUSIVE, None, 0, unit, reason, evidence)
    if idle:
        reason = f"{', '.join(idle)} took no record: the drill says nothing about them"
        return Check(name, Verdict.INCONCLUSIVE, len(idle), 0, unit, reason, evidence)
    return Check(
        name, Verdict.PASS, 0, 0, unit, f"{counted(len(partitions), 'partition')}, every one took records", evidence
    )
