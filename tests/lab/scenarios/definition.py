"""The definition of a lab drill: drill.yaml and the attachments that it names, written before the drill."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml

from tests.lab.scenarios import flow as names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.lab.scenarios.flow import Flow, Traffic

DATABASE_VARIABLE = "PAYMENTS_DB"
"""Environment variable that holds the address of the sink's database."""
INTERVAL_SECONDS = 0.5
HOLD_SECONDS = 3
WINDOW_SECONDS = 2
RTO_SECONDS = 30
COMMANDER = "incident commander"
OPERATOR = "platform on-call"
APPLICATION = "payments application owner"
MONITOR = "drill monitor"
_TOLERANCE_SECONDS = 30


@dataclass(frozen=True)
class Plan:
    """What a drill rehearses, in words."""

    drill_id: str
    title: str
    kind: str
    description: str
    heal: str
    affected: tuple[str, ...] = ()
    untouched: tuple[str, ...] = (names.DOWNSTREAM,)
    criteria: Mapping[str, int] = field(default_factory=dict)
    amend: Callable[[dict[str, Any]], None] | None = None
    """What this drill's definition has that others do not: changes the mapping before it is written."""


def write_definition(bundle: Path, plan: Plan, flow: Flow, traffic: Traffic, bootstrap_servers: str) -> None:
    """Write drill.yaml and its attachments into a new bundle."""
    attachments = bundle / "attachments"
    attachments.mkdir(parents=True, exist_ok=True)
    (attachments / "access-review.md").write_text(_ACCESS_REVIEW, encoding="utf-8")
    (attachments / "rollback.md").write_text(_ROLLBACK.format(plan=plan), encoding="utf-8")
    document = definition(plan, flow, traffic, bootstrap_servers)
    if plan.amend is not None:
        plan.amend(document)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    (bundle / "drill.yaml").write_text(_HEAD + text, encoding="utf-8")


def definition(plan: Plan, flow: Flow, traffic: Traffic, bootstrap_servers: str) -> dict[str, Any]:
    """drill.yaml as a mapping."""
    return {
        "schema_version": 1,
        "id": plan.drill_id,
        "title": plan.title,
        "platform": {"name": "kafka-4.3-three-brokers", "pattern": "single-cluster"},
        "clusters": {names.CLUSTER: {"bootstrap_servers": bootstrap_servers}},
        "flow": _flow(flow),
        "inject": {
            "kind": plan.kind,
            "description": plan.description,
            "affected": list(plan.affected),
            "untouched": list(plan.untouched) if flow.has_sink else [],
        },
        "objectives": _objectives(flow, traffic),
        "criteria": _criteria(traffic) | dict(plan.criteria),
        "runbook": _runbook(plan),
        "governance": [
            {
                "item": "access review of the drill's principals",
                "required": True,
                "evidence": "attachments/access-review.md",
                "owner": "security",
            }
        ],
        "rollback": {
            "authority": COMMANDER,
            "procedure": "attachments/rollback.md",
            "rehearsed": True,
            "irreversible": ["payments applied twice, skipped or lost during the drill"],
            "manual_reconciliation": ["payments that findings.parquet lists"],
            "sign_offs": [{"role": APPLICATION, "at": datetime.now(UTC).replace(microsecond=0)}],
        },
        "collect": collection(flow),
    }


def collection(flow: Flow) -> dict[str, Any]:
    """The section `collect` of the definition: what `rto collect` captures beside the cluster."""
    section: dict[str, Any] = {"interval_seconds": INTERVAL_SECONDS}
    if not flow.has_sink:
        return section
    return section | {
        "record_id": {"header": names.ID_HEADER},
        "downstreams": {
            names.DOWNSTREAM: {
                "database": f"${{{DATABASE_VARIABLE}}}",
                "driver": "adbc_driver_sqlite",
                "table": "payments",
                "columns": names.PAYMENTS_COLUMNS,
                "constants": {"cluster": names.CLUSTER},
                "instants": "us",
                "order": "effect_id",
            }
        },
    }


def _flow(flow: Flow) -> dict[str, Any]:
    owner = "payments-platform"
    return {
        "name": "payments",
        "owner": owner,
        "topics": [{"name": flow.topic, "owner": owner, "cleanup_policy": "delete"}],
        "groups": [{"id": flow.group_id, "topics": [flow.topic], "owner": owner}],
        "downstreams": [_downstream(flow, owner)] if flow.has_sink else [],
    }


def _downstream(flow: Flow, owner: str) -> dict[str, Any]:
    return {
        "name": names.DOWNSTREAM,
        "group_id": flow.group_id,
        "match": "offset",
        "delivery": "exactly_one",
        "owner": owner,
    }


def _objectives(flow: Flow, traffic: Traffic) -> dict[str, Any]:
    lag = {"kind": "lag", "group_id": flow.group_id, "max_records": traffic.records_a_second_or_so}
    errors = {"kind": "produce_errors", "max_ratio": 0.01, "window_seconds": WINDOW_SECONDS}
    applied = {
        "kind": "applied",
        "downstream": names.DOWNSTREAM,
        "min_ratio_of_baseline": 0.5,
        "window_seconds": WINDOW_SECONDS,
    }
    return {
        "clock_starts": "inject",
        "rto_seconds": RTO_SECONDS,
        "rpo_records": 0,
        "restored_when": {
            "hold_seconds": HOLD_SECONDS,
            "step_seconds": 1,
            "conditions": [lag, errors, applied] if flow.has_sink else [lag],
        },
    }


def _criteria(traffic: Traffic) -> dict[str, int]:
    return {
        "max_duplicated_records": 0,
        "max_skipped_records": 0,
        "max_lost_records": 0,
        "max_reordered_records": 0,
        "max_failed_produces": 0,
        "max_final_lag_records": traffic.records_a_second_or_so,
        "max_peak_lag_records": int(traffic.records_per_second * RTO_SECONDS),
        "max_drain_seconds": RTO_SECONDS,
    }


def _runbook(plan: Plan) -> list[dict[str, Any]]:
    steps = [
        ("detect", MONITOR, "see that the flow is hurt", "detect"),
        ("declare", COMMANDER, "declare the scenario", "declare"),
        ("heal", OPERATOR, plan.heal, "heal"),
        ("confirm", APPLICATION, "confirm that payments take effect again", "application_ok"),
    ]
    return [
        {
            "step": step,
            "at_minute": 0,
            "actor": actor,
            "action": action,
            "event": event,
            "tolerance_seconds": _TOLERANCE_SECONDS,
        }
        for step, actor, action, event in steps
    ]


_HEAD = "# A drill on a real Kafka cluster of three brokers on one host, conducted by the drill lab.\n"
_ACCESS_REVIEW = """\
# Access review of the drill's principals

The lab's cluster listens on the loopback interface only, has no authentication and no ACLs, and ends with the drill.
No principal, key or network path outlives it. In a drill of your own, attach the reviewer's record.
"""
_ROLLBACK = """\
# Way back from: {plan.title}

1. End the fault: {plan.heal}.
2. Wait until the group has drained its backlog.
3. Reconcile by hand the payments that `findings.parquet` lists.

Authority: incident commander. In a drill of your own, attach your own procedure.
"""
