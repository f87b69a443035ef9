"""Client behavior: what did producers and consumers go through, and did every one of them come back?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.scorecard.checks import Case, Check, limited, reported
from rtoanalytics.verdict import Verdict
from rtoanalytics.wording import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNTERS = ("retries", "timeouts", "request_errors", "rebalances")


def client_behavior(case: Case) -> Iterator[Check]:
    """The checks of this row."""
    yield _failed_produces(case)
    yield _longest_silence(case, "ack", "longest_ack_silence")
    yield _longest_silence(case, "applied", "longest_applied_silence")
    for counter in _COUNTERS:
        yield _counter(case, counter)
    yield _reconnected(case)


def _failed_produces(case: Case) -> Check:
    """Failed and indeterminate produces: both left the application with an error instead of an acknowledgement."""
    outcomes = case.measures.produce_outcomes
    limit = case.drill.criteria.max_failed_produces
    acks = case.measures.coverage_of("acks")
    errors = [row for row in outcomes if row["outcome"] in ("failed", "indeterminate")]
    count = sum(row["produces"] for row in errors)
    kinds = ", ".join(f"{row['produces']:,} {row['outcome']} ({row['error'] or 'no error code'})" for row in errors)
    total = sum(row["produces"] for row in outcomes)
    what = f"{count:,} of {counted(total, 'produce')} ended without an acknowledgement" + (
        f": {kinds}" if kinds else ""
    )
    known = count if outcomes else None
    doubts = ["no produce outcome was captured" if not outcomes else acks.doubt()]
    return limited("failed_produces", known, limit, "produces", what, doubts=doubts, evidence=("evidence/acks",))


def _longest_silence(case: Case, kind: str, name: str) -> Check:
    silences = [row for row in case.measures.silences if row["kind"] == kind]
    evidence = (f"evidence/{'acks' if kind == 'ack' else kind}",)
    if not silences:
        reason = f"no silence of {_shortest_silence(case)} or longer was seen to end after the clock start"
        return reported(name, None, "seconds", reason, evidence)
    longest = max(silences, key=lambda row: (row["seconds"], row["name"]))
    reason = f"{longest['name']} was silent for {seconds(longest['seconds'])}"
    return reported(name, longest["seconds"], "seconds", reason, evidence)


def _shortest_silence(case: Case) -> str:
    """The shortest pause that is reported, as the query span_length has it: a tenth of a step."""
    step_us = round(case.drill.objectives.restored_when.step_seconds * 1_000_000)
    return seconds((step_us if step_us % 10 else step_us / 10) / 1_000_000)


def _counter(case: Case, counter: str) -> Check:
    counts = [(row["client_id"], row[counter]) for row in case.measures.clients if row[counter] is not None]
    name, evidence = f"client_{counter}", ("evidence/client_stats",)
    if not counts:
        return reported(name, None, counter, "no client statistics say", evidence)
    total = sum(count for _, count in counts)
    busiest = ", ".join(f"{client} {count:,}" for client, count in counts if count)
    reason = f"since the clock start: {busiest}" if busiest else "none since the clock start"
    return reported(name, total, counter, reason, evidence)


def _reconnected(case: Case) -> Check:
    clients = [row for row in case.measures.clients if row["was_connected"]]
    name, unit = "clients_reconnected", "clients"
    if not clients:
        return reported(name, None, unit, "no client statistics say who was connected", ("evidence/client_stats",))
    lost = [row["client_id"] for row in clients if not row["is_connected_at_end"]]
    doubt = case.measures.coverage_of("client_stats").doubt_at_end()
    if lost:
        reason = f"{', '.join(lost)}: not connected to any broker when last seen"
        return Check(name, Verdict.FAIL, len(lost), 0, unit, reason, ("evidence/client_stats",))
    if doubt:
        return Check(name, Verdict.INCONCLUSIVE, 0, 0, unit, doubt, ("evidence/client_stats",))
    back = [row for row in clients if row["reconnected_us"] is not None]
    reason = f"{counted(len(clients), 'client')} connected at the end; {len(back)} had lost a broker and got it back"
    return Check(name, Verdict.PASS, 0, 0, unit, reason, ("evidence/client_stats",))
