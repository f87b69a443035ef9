"""Coordinator loss: the broker that coordinates the group, and leads nothing, is gone for longer than a session.

Producing goes on unharmed. The group cannot commit or send heartbeats; what it applied since its last commit is
applied again once it is let back in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo.faults.fault import UNCOMMITTED_RECORDS, Damage, Fault

if TYPE_CHECKING:
    from rtoanalytics_collectors.demo.conduct import Conduct

BROKER = 3


def _aim(conduct: Conduct) -> None:
    conduct.wait_uncommitted(UNCOMMITTED_RECORDS)


def _inject(conduct: Conduct) -> None:
    conduct.stage.cluster.do("broker_set_down", BROKER)


def _heal(conduct: Conduct) -> None:
    conduct.stage.cluster.do("broker_set_up", BROKER)


FAULT = Fault(
    name="coordinator-loss",
    title="Loss of the group coordinator",
    kind="broker-kill",
    description=f"broker {BROKER}, coordinator of the group and leader of no partition, closes every connection",
    affected=(f"broker-{BROKER}", "payments-sink"),
    untouched=("payments-db",),
    damage=Damage(min_duplicated=UNCOMMITTED_RECORDS, max_produced_twice=0),
    aim=_aim,
    inject=_inject,
    heal=_heal,
    heal_text=f"broker {BROKER} is back",
    outage_seconds=8.0,
    leaders={partition: partition % 2 + 1 for partition in range(6)},
    coordinator=BROKER,
)
