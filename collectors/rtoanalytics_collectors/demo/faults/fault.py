"""What a fault is: how it is injected and healed, and the damage it must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtoanalytics_collectors.demo.conduct import Conduct

Action = Callable[["Conduct"], None]

CRASH_RECORDS = 150
"""Records that a crashing consumer must catch: applied and not committed, or committed and not applied."""
UNCOMMITTED_RECORDS = 100
"""Records applied and not committed at the moment a coordinator is taken away."""


@dataclass(frozen=True)
class Damage:
    """What the fault must do at least, and what it must not do. Counts of records."""

    min_duplicated: int = 0
    """Records applied more than once (redelivered)."""
    max_duplicated: int | None = None
    min_skipped: int = 0
    """Acked records below the final committed offset that were never applied."""
    max_skipped: int | None = 0
    min_not_acked: int = 0
    """Produces that ended failed or indeterminate."""
    max_not_acked: int | None = 0
    min_produced_twice: int = 0
    """Record ids that stand at two or more offsets."""
    max_produced_twice: int | None = None


@dataclass(frozen=True)
class Fault:
    """One fault of the demo."""

    name: str
    title: str
    kind: str
    """`inject.kind` of drill.yaml."""
    description: str
    affected: tuple[str, ...]
    untouched: tuple[str, ...]
    damage: Damage
    inject: Action
    heal: Action
    aim: Action | None = None
    """Waits for a moment at which the fault does its damage for certain; None when any moment will do."""
    switch: Action | None = None
    """What the operator does about it before it is healed; None when there is nothing to be done."""
    switch_text: str = ""
    heal_text: str = ""
    outage_seconds: float = 0.0
    """The fault is healed this long after it was injected; 0 for as soon as the operator has decided."""
    leaders: dict[int, int] = field(default_factory=lambda: {partition: partition % 3 + 1 for partition in range(6)})
    """Leader by partition before the fault."""
    coordinator: int = 2
    delivery_timeout_ms: int = 20_000
    is_commit_first: bool = False
    """Whether the consumer has the defect of committing before it applies."""
