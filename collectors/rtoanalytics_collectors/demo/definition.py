"""The definition of the demo drill: drill.yaml and its attachments, written before the drill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo import flow

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics_collectors.demo.faults.fault import Fault

HOLD_SECONDS = 5
WINDOW_SECONDS = 3
RTO_SECONDS = 30
MAX_DUPLICATED_RECORDS = 50
_STEP_TOLERANCE_SECONDS = 20

COMMANDER = "incident commander"
OPERATOR = "platform on-call"
APPLICATION = "payments application owner"
MONITOR = "drill monitor"


@dataclass(frozen=True)
class Plan:
    """One demo drill before it begins."""

    drill_id: str
    fault: Fault
    bootstrap_servers: str
    records_per_second: float
    planned_at: datetime

    @property
    def max_lag_records(self) -> int:
        """Lag that is no backlog: commits are a second apart and sampled twice a second."""
        return int(2.5 * self.records_per_second)


def write_definition(bundle: Path, plan: Plan) -> None:
    """Write drill.yaml and the attachments that it names."""
    attachments = bundle / "attachments"
    attachments.mkdir(parents=True, exist_ok=True)
    (attachments / "access-review.md").write_text(_ACCESS_REVIEW, encoding="utf-8")
    (attachments / "rollback.md").write_text(_rollback_procedure(plan.fault), encoding="utf-8")
    (bundle / "drill.yaml").write_text(drill_yaml(plan), encoding="utf-8")


def drill_yaml(plan: Plan) -> str:
    """The text of drill.yaml."""
    fault = plan.fault
    return f"""\
# A drill on rtoanalytics' embedded cluster (librdkafka's mock): a simulated cluster. Clients, offsets, groups, lag and
# recovery are real to the programs; replication, log loss and transactions are not, and are not judged.
schema_version: 1
id: {plan.drill_id}
title: "Demo: {fault.title}"
platform:
  name: librdkafka mock cluster (simulated)
  pattern: single-cluster
clusters:
  {flow.CLUSTER}:
    bootstrap_servers: "{plan.bootstrap_servers}"

flow:
  name: payments
  owner: payments-platform
  topics:
    - name: {flow.TOPIC}
      owner: payments-platform
      cleanup_policy: delete
  groups:
    - id: {flow.GROUP_ID}
      topics: [{flow.TOPIC}]
      owner: payments-platform
  downstreams:
    - name: {flow.DOWNSTREAM}
      group_id: {flow.GROUP_ID}
      match: offset              # the sink keeps topic, partition and offset of every record it applies
      delivery: exactly_one      # every payment must take effect exactly once
      owner: payments-platform

inject:
  kind: {fault.kind}
  description: "{fault.description}"
  affected: {_list(fault.affected)}
  untouched: {_list(fault.untouched)}

objectives:
  clock_starts: inject
  rto_seconds: {RTO_SECONDS}
  rpo_records: 0
  restored_when:                 # all of these, without a break, for hold_seconds
    hold_seconds: {HOLD_SECONDS}
    step_seconds: 1
    conditions:
      # The sink commits once a second and offsets are sampled twice a second, so this much lag is no backlog.
      - {{kind: lag, group_id: {flow.GROUP_ID}, max_records: {plan.max_lag_records}}}
      - {{kind: produce_errors, max_ratio: 0.01, window_seconds: {WINDOW_SECONDS}}}
      - {{kind: applied, downstream: {flow.DOWNSTREAM}, min_ratio_of_baseline: 0.5, window_seconds: {WINDOW_SECONDS}}}

criteria:
  max_duplicated_records: {MAX_DUPLICATED_RECORDS}
  max_skipped_records: 0
  max_lost_records: 0
  max_reordered_records: 0
  max_failed_produces: 0
  max_final_lag_records: {plan.max_lag_records}
  max_peak_lag_records: {int(plan.records_per_second * RTO_SECONDS)}
  max_drain_seconds: {RTO_SECONDS}

# The demo plays every role itself, as soon as its monitor has seen the fault.
runbook:
{_runbook(fault)}
governance:
  - item: access review of the drill's principals
    required: true
    evidence: attachments/access-review.md
    owner: security

rollback:
  authority: {COMMANDER}
  procedure: attachments/rollback.md
  rehearsed: true
  irreversible: ["payments applied twice, or skipped, during the drill"]
  manual_reconciliation: ["payments that findings.parquet lists"]
  sign_offs:
    - {{role: {APPLICATION}, at: {plan.planned_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}}}
"""


def _runbook(fault: Fault) -> str:
    steps = [
        ("detect", MONITOR, "see that the flow is hurt", "detect"),
        ("declare", COMMANDER, "declare the scenario", "declare"),
        ("decide", COMMANDER, "decide between waiting and switching", "decide"),
    ]
    if fault.switch:
        steps.append(("switch", OPERATOR, fault.switch_text, "switch"))
    steps += [
        ("heal", OPERATOR, fault.heal_text, "heal"),
        ("confirm", APPLICATION, "confirm that payments take effect again", "application_ok"),
    ]
    return "\n".join(
        f'  - {{step: {step}, at_minute: 0, actor: {actor}, action: "{action}", event: {event}, '
        f"tolerance_seconds: {RTO_SECONDS if event in ('heal', 'application_ok') else _STEP_TOLERANCE_SECONDS}}}"
        for step, actor, action, event in steps
    )


def _list(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(names) + "]"


_ACCESS_REVIEW = """\
# Access review of the drill's principals

The embedded cluster listens on 127.0.0.1 only, has no authentication and no ACLs, and ends with the drill.
No principal, key or network path outlives it. Written by `rto demo`; in a real drill, attach the reviewer's record.
"""


def _rollback_procedure(fault: Fault) -> str:
    return f"""\
# Way back from: {fault.title}

1. End the fault: {fault.heal_text}.
2. Wait until the group has drained its backlog.
3. Reconcile the payments that `findings.parquet` lists as duplicated or skipped, by hand.

Authority: {COMMANDER}. Written by `rto demo`; in a real drill, attach your own procedure.
"""
