"""All brokers down, past the producer's delivery timeout: outcomes that nobody knows.

The producer gives up on the records it could not deliver in time. Whether they are in the log is not known to it:
they are indeterminate, neither lost nor failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo import flow
from rtoanalytics_collectors.demo.faults.fault import Damage, Fault

if TYPE_CHECKING:
    from rtoanalytics_collectors.demo.conduct import Conduct


def _inject(conduct: Conduct) -> None:
    for broker in flow.BROKERS:
        conduct.stage.cluster.do("broker_set_down", broker)


def _heal(conduct: Conduct) -> None:
    for broker in flow.BROKERS:
        conduct.stage.cluster.do("broker_set_up", broker)


FAULT = Fault(
    name="all-brokers-down",
    title="All brokers down past the delivery timeout",
    kind="cluster-outage",
    description="all three brokers close every connection",
    affected=tuple(f"broker-{broker}" for broker in flow.BROKERS),
    untouched=("payments-db",),
    damage=Damage(min_not_acked=300, max_not_acked=None),
    inject=_inject,
    heal=_heal,
    heal_text="all brokers are back, with what they knew",
    outage_seconds=7.0,
    delivery_timeout_ms=3_000,
)
