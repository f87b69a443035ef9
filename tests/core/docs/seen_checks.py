"""Checks as drills of every kind produce them: with everything defined and captured, with nothing, and in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.drill import STARTING_FILE
from rtoanalytics.seal import seal_bundle
from tests.core.docs.worked_examples import DOCUMENT, read_examples, write_example
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = 1_000_000
CLOCK_US = 1_800_000_000 * SECOND
RANDOM_DRILLS = range(8)

Row = dict[str, Any]


class SeenCheck(NamedTuple):
    """One check of one scorecard."""

    area: str
    name: str
    """Without what follows a colon."""
    is_named: bool
    """Whether something follows a colon."""
    verdict: str
    evidence: tuple[str, ...]


def seen_checks(folder: Path) -> set[SeenCheck]:
    """Every distinct check of every drill below. Bundles are written into `folder`."""
    return {check for root in _bundles(folder) for check in _checks(analyze_bundle(root))}


def _checks(scorecard: dict[str, Any]) -> Iterator[SeenCheck]:
    for row in scorecard["rows"]:
        for check in row["checks"]:
            name, colon, _ = check["name"].partition(":")
            yield SeenCheck(row["area"], name, bool(colon), check["verdict"], tuple(check["evidence"]))


def _bundles(folder: Path) -> Iterator[Path]:
    for example in read_examples(DOCUMENT.read_text("utf-8")):
        root = folder / example.title.split(":", maxsplit=1)[0]
        write_example(root, example)
        yield root
    yield _starting_file(folder / "started")
    for seed in RANDOM_DRILLS:
        write_bundle(folder / f"random-{seed}", *random_drill(seed))
        yield folder / f"random-{seed}"
    yield from _full_drills(folder)


def _starting_file(root: Path) -> Path:
    root.mkdir(parents=True)
    (root / "drill.yaml").write_text(STARTING_FILE.format(id="started"), "utf-8")
    return root


def _full_drills(folder: Path) -> Iterator[Path]:
    """A drill that says and captures everything: open, sealed, with a late attachment, and altered."""
    root = folder / "full"
    write_bundle(root, FULL_DEFINITION, full_evidence())
    for name in ("procedure", "review"):
        attachment = root / "attachments" / f"{name}.md"
        attachment.parent.mkdir(exist_ok=True)
        attachment.write_text("Reviewed.", "utf-8")
    yield root
    seal_bundle(root)
    yield root
    (root / "attachments" / "late.md").write_text("Late.", "utf-8")
    yield root
    (root / "attachments" / "review.md").write_text("Rewritten.", "utf-8")
    yield root


FULL_DEFINITION: Row = {
    "schema_version": 1,
    "id": "everything",
    "flow": {
        "name": "payments",
        "owner": "payments-platform",
        "topics": [{"name": "payments", "owner": "payments-platform"}],
        "groups": [{"id": "payments-sink", "owner": "payments-platform"}],
        "downstreams": [{"name": "payments-db", "group_id": "payments-sink", "owner": "payments-platform"}],
    },
    "objectives": {
        "rto_seconds": 60,
        "rpo_records": 0,
        "restored_when": {
            "hold_seconds": 3,
            "conditions": [{"kind": "lag", "group_id": "payments-sink", "max_records": 0}],
        },
    },
    "criteria": {
        "max_duplicated_records": 0,
        "max_skipped_records": 0,
        "max_lost_records": 0,
        "max_reordered_records": 0,
        "max_failed_produces": 0,
        "max_final_lag_records": 0,
        "max_peak_lag_records": 1000,
        "max_drain_seconds": 60,
    },
    "runbook": [
        {"step": "declare", "at_minute": 0, "event": "declare", "tolerance_seconds": 60},
        {"step": "switch", "at_minute": 0.1, "event": "switch", "tolerance_seconds": 1},
        {"step": "call", "at_minute": 1},
        {"step": "note", "event": "note"},
    ],
    "governance": [
        {"item": "review", "evidence": "attachments/review.md"},
        {"item": "late", "evidence": "attachments/late.md"},
        {"item": "wish", "required": False},
    ],
    "rollback": {
        "authority": "incident commander",
        "procedure": "attachments/procedure.md",
        "rehearsed": True,
        "irreversible": ["captured payments"],
        "sign_offs": [{"role": "owner", "at": "2026-11-20T10:40:00Z"}],
    },
}
"""One partition; ten records a second; the group stands still for fifteen seconds and catches up."""


def full_evidence() -> dict[str, list[Row]]:
    """Sixty seconds, twenty of them before the clock start."""
    place = {"cluster": "primary", "topic": "payments", "partition": 0}
    seconds = range(-20, 40)
    records = [(20 + second) * 10 + number for second in seconds for number in range(10)]
    committed = {second: (20 + (second if second < 0 or second > 15 else 0)) * 10 for second in seconds}

    def at(second: float) -> int:
        return CLOCK_US + round(second * SECOND)

    return {
        "events": [
            {"occurred_at": at(second), "kind": kind}
            for kind, second in {"inject": 0, "declare": 5, "decide": 6, "switch": 30, "note": 31}.items()
        ],
        "acks": [
            {**place, "record_offset": offset, "acked_at": at(offset / 10 - 20), "outcome": "acked"}
            for offset in records
        ],
        "applied": [
            {
                **place,
                "downstream": "payments-db",
                "record_offset": offset,
                "applied_at": at(max(offset / 10 - 19.5, 0)),
            }
            for offset in records[:-10]
        ],
        "commits": [
            {**place, "group_id": "payments-sink", "committed_offset": offset, "committed_at": at(second)}
            for second, offset in committed.items()
        ],
        "watermarks": [
            {**place, "log_start_offset": 0, "log_end_offset": (20 + second) * 10, "observed_at": at(second)}
            for second in seconds
        ],
        "partition_states": [
            {**place, "leader": 1, "replicas": 3, "in_sync": 3 if second < 0 else 2, "observed_at": at(second)}
            for second in seconds
        ],
        "client_stats": [
            {
                "client_id": "writer",
                "role": "producer",
                "broker": "b:9092",
                "broker_state": "UP",
                "observed_at": at(second),
                "retries": max(second, 0),
                "timeouts": 0,
                "request_errors": 0,
                "rebalances": 0,
            }
            for second in seconds
        ],
        "log_scans": [{**place, "from_offset": 0, "to_offset": records[-1] + 1, "scanned_at": at(60)}],
        "log_records": [{**place, "record_offset": offset} for offset in records],
        "heartbeats": [
            {"collector": table, "occurred_at": at(second), "interval_seconds": 1.0, "rows": 0, "clock_offset_ms": 5.0}
            for table in ("acks", "applied", "commits", "watermarks", "partition_states", "client_stats")
            for second in seconds
        ],
    }
