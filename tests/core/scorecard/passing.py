"""A bundle in which everything was defined, captured, kept and sealed: its scorecard says pass in every row.

It is what the damage is done to. The definition is the full example of docs/; the evidence is in `passing_evidence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.seal import seal_bundle
from tests.core.scorecard.passing_evidence import Tables, passing_tables
from tests.reference.bundles import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

Definition = dict[str, Any]
Scorecard = dict[str, Any]

DEFINITION = """\
schema_version: 1
id: payments-2026q4-broker-loss
title: Payments flow, loss of one broker
platform: {name: kafka-4.1-three-az, pattern: single-cluster}
clusters:
  primary: {bootstrap_servers: "127.0.0.1:9092"}
flow:
  name: payments
  owner: payments-platform
  topics:
    - {name: payments, owner: payments-platform, cleanup_policy: delete}
  groups:
    - {id: payments-sink, topics: [payments], owner: payments-platform}
  downstreams:
    - name: payments-db
      group_id: payments-sink
      match: offset
      delivery: exactly_one
      owner: payments-platform
inject: {kind: broker-kill, description: "kill -9 of broker 2", affected: [broker-2], untouched: [payments-db]}
objectives:
  clock_starts: inject
  rto_seconds: 120
  rpo_records: 0
  restored_when:
    hold_seconds: 10
    step_seconds: 1
    conditions:
      - {kind: lag, group_id: payments-sink, max_records: 100}
      - {kind: produce_errors, max_ratio: 0.01, window_seconds: 5}
      - {kind: applied, downstream: payments-db, min_ratio_of_baseline: 0.8, window_seconds: 5}
      - {kind: under_replicated, max_partitions: 0, cluster: primary}
      - {kind: connectors, connectors: [payments-jdbc]}
      - {kind: event, event: application_ok}
criteria:
  max_duplicated_records: 1
  max_skipped_records: 0
  max_lost_records: 0
  max_reordered_records: 0
  max_failed_produces: 0
  max_final_lag_records: 100
  max_peak_lag_records: 100000
  max_drain_seconds: 300
runbook:
  - {step: declare, at_minute: 0, actor: incident commander, action: declare, event: declare, tolerance_seconds: 60}
  - {step: switch, at_minute: 5, actor: platform on-call, action: "switch it", event: switch, tolerance_seconds: 120}
governance:
  - {item: IAM review, required: true, evidence: attachments/iam-review.md, owner: security}
rollback:
  authority: incident commander
  procedure: attachments/rollback.md
  rehearsed: true
  irreversible: ["payments captured on the recovery side after T+5"]
  manual_reconciliation: [ledger-export]
  sign_offs: [{role: application owner, at: 2026-11-20T10:40:00Z}]
costs:
  - {item: standby cluster, monthly: 4200, currency: USD}
"""


@dataclass
class Drill:
    """A bundle before it is written: change what you like, then `write` it."""

    definition: Definition
    tables: Tables
    attachments: dict[str, str]

    def without(self, *tables: str) -> Drill:
        """The same drill, with tables that nobody captured."""
        for table in tables:
            del self.tables[table]
        return self

    def write(self, root: Path, *, sealed: bool = True) -> Path:
        """Write the bundle into a folder, sealed unless told otherwise, and return the folder."""
        write_bundle(root, self.definition, self.tables)
        (root / "attachments").mkdir()
        for name, text in self.attachments.items():
            (root / "attachments" / name).write_text(text, "utf-8")
        if sealed:
            seal_bundle(root)
        return root

    def judge(self, root: Path, *, sealed: bool = True) -> Scorecard:
        """Write the bundle, analyze it, and return the content of scorecard.json."""
        return analyze_bundle(self.write(root, sealed=sealed))


def passing_drill(*outages: tuple[float, float]) -> Drill:
    """The drill that passes; a fresh one every time, so that one test's damage is not another's."""
    return Drill(
        yaml.safe_load(DEFINITION),
        passing_tables(*outages),
        {"iam-review.md": "reviewed by security\n", "rollback.md": "switch the endpoint back\n"},
    )


def verdicts(scorecard: Scorecard) -> dict[str, str]:
    """Check → verdict, over all rows."""
    return {check["name"]: check["verdict"] for row in scorecard["rows"] for check in row["checks"]}


def row_verdicts(scorecard: Scorecard) -> dict[str, str]:
    """Row → verdict."""
    return {row["area"]: row["verdict"] for row in scorecard["rows"]}
