"""Where did the recovery spend its time?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Phase:
    """One phase of the recovery: it ends at `ended_us` and took `seconds` since the phases before it ended."""

    name: str
    ended_us: int | None
    seconds: float | None


def phases(rows: Iterable[dict[str, Any]]) -> tuple[Phase, ...]:
    """The phases in order, from rows of the relation `phases`.

    A phase takes the time since the latest end of any phase before it, and 0 if it had ended by then: phases overlap
    (clients may recover before anybody declares), and this way they add up to the whole. Unknown ends take no time.

    >>> rows = [dict(position=1, phase="inject", occurred_us=0), dict(position=2, phase="detect", occurred_us=None),
    ...         dict(position=3, phase="declare", occurred_us=4_000_000)]
    >>> [(phase.name, phase.seconds) for phase in phases(rows)]
    [('inject', 0.0), ('detect', None), ('declare', 4.0)]
    """
    found = []
    latest: int | None = None
    for row in sorted(rows, key=lambda row: row["position"]):
        ended = row["occurred_us"]
        seconds = None
        if ended is not None:
            seconds = 0.0 if latest is None else max(0, ended - latest) / 1_000_000
            latest = ended if latest is None else max(latest, ended)
        found.append(Phase(row["phase"], ended, seconds))
    return tuple(found)
