"""Broker loss: a broker that leads partitions and coordinates the group goes down and comes back.

Its partitions get new leaders once the loss is seen; the group waits for its coordinator to come back, which takes
longer than a session, so what was applied and not committed by then is applied again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo.faults.fault import UNCOMMITTED_RECORDS, Damage, Fault

if TYPE_CHECKING:
    from rtoanalytics_collectors.demo.conduct import Conduct

BROKER = 2


def _aim(conduct: Conduct) -> None:
    conduct.wait_uncommitted(UNCOMMITTED_RECORDS)


def _inject(conduct: Conduct) -> None:
    conduct.stage.cluster.do("broker_set_down", BROKER)


def _switch(conduct: Conduct) -> None:
    led = [partition for partition, leader in FAULT.leaders.items() if leader == BROKER]
    others = [leader for leader in sorted(set(FAULT.leaders.values())) if leader != BROKER]
    conduct.stage.cluster.lead({partition: others[n % len(others)] for n, partition in enumerate(led)})


def _heal(conduct: Conduct) -> None:
    conduct.stage.cluster.do("broker_set_up", BROKER)


FAULT = Fault(
    name="broker-loss",
    title="Loss of one broker that leads partitions and coordinates the group",
    kind="broker-kill",
    description=f"broker {BROKER}, leader of two partitions and coordinator of the group, closes every connection",
    affected=(f"broker-{BROKER}",),
    untouched=("payments-db",),
    damage=Damage(min_duplicated=UNCOMMITTED_RECORDS),
    aim=_aim,
    inject=_inject,
    switch=_switch,
    heal=_heal,
    switch_text="partitions of the lost broker get new leaders",
    heal_text=f"broker {BROKER} is back, with what it knew",
    outage_seconds=8.0,
    coordinator=BROKER,
)
