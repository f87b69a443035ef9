"""Slow network: one broker's answers take longer than the producer waits for them.

The records are in the log when the producer gives up waiting; it sends them again, and they stand there twice. (An
idempotent producer against Kafka would not write them twice; the mock cluster does not know that protocol.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics_collectors.demo.faults.fault import Damage, Fault

if TYPE_CHECKING:
    from rtoanalytics_collectors.demo.conduct import Conduct

BROKER = 1
ROUND_TRIP_MS = 4_000
"""More than twice the producer's request timeout."""


def _inject(conduct: Conduct) -> None:
    conduct.stage.cluster.do("broker_set_rtt", BROKER, ROUND_TRIP_MS)


def _heal(conduct: Conduct) -> None:
    conduct.stage.cluster.do("broker_set_rtt", BROKER, 0)


FAULT = Fault(
    name="slow-network",
    title="One broker answers slower than its clients wait",
    kind="network-latency",
    description=f"every answer of broker {BROKER} takes {ROUND_TRIP_MS} ms",
    affected=(f"broker-{BROKER}",),
    untouched=("payments-db",),
    damage=Damage(min_produced_twice=1),
    inject=_inject,
    heal=_heal,
    heal_text=f"broker {BROKER} answers at once again",
    outage_seconds=6.0,
    coordinator=2,
)
