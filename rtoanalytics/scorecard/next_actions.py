"""What to invest in before the next drill: it follows from the check that decided the row."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from rtoanalytics.scorecard.checks import Check, first_of
from rtoanalytics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FAILED: Mapping[str, str] = MappingProxyType(
    {
        "recovery_time": "Shorten the longest phase on the timeline: detection, decision, service discovery and client"
        " timeouts, or the capacity that drains the backlog.",
        "runbook_step": "Rehearse or automate the step that came late; check service discovery and client configuration"
        " where a switch was slow.",
        "failed_produces": "Review the producers' delivery timeout, retries and acks, and what the application"
        " does with"
        " a produce that fails.",
        "clients_reconnected": "Find the clients that stayed disconnected; check bootstrap servers, DNS lifetime and"
        " reconnect backoff.",
        "duplicated_records": "Make the consumer idempotent: key the effect on (topic, partition, offset) or on"
        " the record"
        " identity.",
        "skipped_records": "Commit only after the effect is durable: put offsets and effects into one"
        " transaction, or apply"
        " before committing.",
        "lost_records": "Protect acknowledged records: acks=all, min.insync.replicas of 2 or more, no unclean leader"
        " election.",
        "reordered_records": "Keep one writer per partition and check what replays or parallel workers do to the"
        " order.",
        "recovery_point": "Protect acknowledged records: acks=all, min.insync.replicas of 2 or more, no unclean leader"
        " election; on a failover, shorten replication lag.",
        "final_lag": "Add consumer capacity or reduce the work per record: the backlog outlived the drill.",
        "peak_lag": "Pre-provision consumer capacity, or change what the recovery depends on, so that less piles up.",
        "drain_time": "Raise the drain rate: more partitions and consumers, larger fetches, batched effects"
        " downstream.",
        "evidence_sealed": "Find out who changed sealed files and why; capture again if it cannot be explained.",
        "governance": "Replace the attachment that was changed after sealing.",
        "rollback_rehearsed": "Rehearse the way back before the next drill.",
    }
)
"""Check (without what follows a colon) → what to do when it failed."""

MISSING: Mapping[str, str] = MappingProxyType(
    {
        "topics_seen": "Name the topics of the flow and capture produce acks for each.",
        "groups_seen": "Name the groups of the flow and capture their commits.",
        "downstreams_seen": "Name the downstreams and capture what they apply.",
        "owners_named": "Name an owner for every part of the flow.",
        "partitions_exercised": "Drive load through every partition, and capture log ends.",
        "recovery_time": "Define when the service counts as restored, record the event that starts the clock,"
        " and sample"
        " more finely.",
        "capture_spans_recovery": "Start the capture before the inject and let it run until the service has held.",
        "clocks_agree": "Synchronize the collectors' clocks, and record their offset.",
        "runbook_step": "Record an event for every step of the runbook (rto mark).",
        "failed_produces": "Capture produce acks without a break.",
        "clients_reconnected": "Capture client statistics without a break.",
        "recovery_point": "Read the logs back after the drill (log_scans and log_records) from below the first"
        " acknowledged offset.",
        "commits_captured": "Capture the commits of every group without a break.",
        "evidence_coverage": "Close the holes in the capture: every collector needs heartbeats from before the"
        " clock start"
        " until the service has held.",
        "governance": "Attach what proves the item, and seal the bundle.",
        "rollback_defined": "Describe the way back: authority, procedure, rehearsal, and what cannot be undone.",
        "rollback_authority": "Name who may decide to turn back.",
        "rollback_procedure": "Attach the rollback procedure.",
        "rollback_rehearsed": "Say whether the way back was rehearsed, and rehearse it.",
        "irreversible_items": "List what cannot be undone, even if the list is empty.",
        "rollback_sign_offs": "Have the application owner sign off.",
    }
)
"""Check (without what follows a colon) → what to do when the evidence does not tell."""

_CAPTURE_MORE: Mapping[str, str] = MappingProxyType(
    {
        "offset_integrity": "Capture acks, commits, applied rows and a log read-back that cover the whole drill.",
        "capacity": "Capture commits and log ends without a break until the backlog has drained.",
    }
)


def next_action(area: str, checks: Iterable[Check]) -> str | None:
    """The action for the first failed check of a row, else for the first inconclusive one; None when neither exists."""
    found = tuple(checks)
    failed = first_of(found, Verdict.FAIL)
    if failed:
        return FAILED.get(kind_of(failed), "Look into the check that failed.")
    open_one = first_of(found, Verdict.INCONCLUSIVE)
    if open_one:
        return MISSING.get(kind_of(open_one), _CAPTURE_MORE.get(area, "Capture the evidence that was missing."))
    return None


def kind_of(check: Check) -> str:
    """The name of a check without the part it is about: `runbook_step:switch` → `runbook_step`."""
    return check.name.partition(":")[0]
