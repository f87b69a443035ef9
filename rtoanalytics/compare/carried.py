"""Findings and next actions that are carried from drill to drill until the check that raised them passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.compare.comparability import engine_of, in_order
from rtoanalytics.compare.expiry import iso
from rtoanalytics.scorecard.checks import Check
from rtoanalytics.scorecard.next_actions import next_action
from rtoanalytics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rtoanalytics.compare.readings import Reading

_OPEN = (Verdict.FAIL, Verdict.INCONCLUSIVE)


@dataclass
class Item:
    """One check that did not pass, over the drills in which it did not."""

    area: str
    check: str
    drills: list[Reading]
    verdict: Verdict
    reason: str
    closed_by: Reading | None = None

    def document(self) -> dict[str, Any]:
        """The item for people and programs."""
        first, last = self.drills[0], self.drills[-1]
        action = next_action(self.area, [Check(self.check, self.verdict, None, None, "", "")])
        return {
            "flow": last.drill.flow.name,
            "inject": last.inject,
            "platform": last.platform,
            "engine": engine_of(last),
            "area": self.area,
            "check": self.check,
            "is_open": self.closed_by is None,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "next_action": action,
            "opened_by": first.id,
            "opened_at": iso(first),
            "last_seen_in": last.id,
            "last_seen_at": iso(last),
            "drills": len(self.drills),
            "closed_by": self.closed_by.id if self.closed_by else None,
            "closed_at": iso(self.closed_by),
        }


def carried(drills: Iterable[Reading]) -> list[dict[str, Any]]:
    """What stands open, the longest first, then what was closed, the latest first.

    1. Drills of the same flow, inject, platform and engine follow each other.
    2. A check that fails or is inconclusive opens an item, or is seen again in the one that is open.
    3. Only a pass of that check closes it. A drill without the check, or one that does not judge it, leaves it open.
    4. One that fails again after it was closed opens a new item.
    """
    chains: dict[tuple[str, ...], list[Reading]] = {}
    for drill in in_order(drills):
        key = (drill.drill.flow.name, drill.inject or "", drill.platform or "", engine_of(drill))
        chains.setdefault(key, []).append(drill)
    found = [item.document() for _, chain in sorted(chains.items()) for item in _items(chain)]
    still_open = sorted((item for item in found if item["is_open"]), key=lambda item: item["opened_at"])
    closed = sorted((item for item in found if not item["is_open"]), key=lambda item: item["closed_at"], reverse=True)
    return [*still_open, *closed]


def _items(chain: list[Reading]) -> Iterator[Item]:
    open_items: dict[tuple[str, str], Item] = {}
    for drill in chain:
        for row in drill.scorecard.rows:
            for check in row.checks:
                key = (row.area, check.name)
                if check.verdict in _OPEN:
                    item = open_items.setdefault(key, Item(row.area, check.name, [], check.verdict, ""))
                    item.drills.append(drill)
                    item.verdict, item.reason = check.verdict, check.reason or ""
                elif check.verdict is Verdict.PASS and key in open_items:
                    item = open_items.pop(key)
                    item.closed_by = drill
                    yield item
    yield from open_items.values()
