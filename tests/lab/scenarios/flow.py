"""The payments flow that the lab's scenarios hurt: names, traffic, and what its programs are told to be like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CLUSTER = "primary"
DOWNSTREAM = "payments-db"
ID_HEADER = "payment-id"
"""The business id travels in a header, and in the value too, where kafka-dump-log can see it."""
PAYMENTS_COLUMNS = {
    "topic": "topic",
    "partition": "partition",
    "record_offset": "record_offset",
    "record_id": "payment_id",
    "applied_at": "applied_at_us",
}
"""Column of the sink's table, by column of the evidence."""


@dataclass(frozen=True)
class Traffic:
    """How much of it, and for how long."""

    records_per_second: float = 200.0
    steady_seconds: float = 4.0
    """Before the fault."""
    after_seconds: float = 7.0
    """After the recovery, so that it can be seen to last."""

    @property
    def records_a_second_or_so(self) -> int:
        """Records that are no backlog: what is in flight between two commits."""
        return max(50, int(self.records_per_second * 1.5))


@dataclass(frozen=True)
class Flow:
    """One flow of payments: a topic, a producer of it, a group that applies it to a database."""

    name: str
    """Part of every name that it has on the cluster, so that scenarios can share one."""
    partitions: int = 3
    replication: int = 3
    topic_settings: Mapping[str, Any] = field(default_factory=dict)
    producer_settings: Mapping[str, Any] = field(default_factory=dict)
    sink_settings: Mapping[str, Any] = field(default_factory=dict)
    commit: str = "after"
    """Whether the sink commits `after` it has applied, or `before`."""
    is_idempotent: bool = False
    """Whether the sink leaves out what it has applied before."""
    has_sink: bool = True
    """Whether a sink of the lab applies it to a database; else something else consumes it."""
    is_proxied: bool = False
    """Whether programs and collectors reach the brokers through proxies."""

    @property
    def topic(self) -> str:
        """Its topic."""
        return f"payments-{self.name}"

    @property
    def group_id(self) -> str:
        """The group of its sink."""
        return f"payments-sink-{self.name}"

    @property
    def topic_partitions(self) -> tuple[tuple[str, int], ...]:
        """Its partitions, as collectors name them."""
        return tuple((self.topic, partition) for partition in range(self.partitions))
