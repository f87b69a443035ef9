"""From where on a numbered table has to be read again, because numbers do not appear in their order.

A sequence gives out a number when a row is written; the row is seen when its writer commits. Two writers may commit
the other way round, so what lies below the highest number seen can still appear. PostgreSQL names the writers that
are open at a look: when one of them has ended by the next look, everything above the highest number of the look
before it was first seen is read again. Sequences that hand out numbers in advance, and databases that do not name
their writers, are what `overlap` is for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Order = int | dt.datetime
"""A value of the column that effects are read in the order of."""


@dataclass
class Horizon:
    """What was seen of one table, by the column that grows."""

    overlap: float = 0.0
    """How far below the highest value seen every look reads again: values of a number, seconds of a timestamp."""
    last: Order | None = None
    """The highest value seen."""
    _open: dict[int, Order | None] = field(default_factory=dict)
    """For every writer that was open at the last look, the highest value before it was first seen."""

    def lowest(self, open_transactions: Collection[int]) -> Order | None:
        """The lowest value that has to be read now, inclusive; None for all of them."""
        if self.last is None:
            return None
        marks = [self.last, *(mark for writer, mark in self._open.items() if writer not in open_transactions)]
        known = [mark for mark in marks if mark is not None]
        return None if len(known) < len(marks) else _below(min(known), self.overlap)

    def saw(self, highest: Order | None, open_transactions: Iterable[int]) -> None:
        """Take the highest value of a look (None: no row), and the writers that were open at it."""
        before = self.last
        self._open = {writer: self._open.get(writer, before) for writer in open_transactions}
        if highest is not None:
            self.last = highest if before is None else max(before, highest)


def _below(value: Order, overlap: float) -> Order:
    if isinstance(value, dt.datetime):
        return value - dt.timedelta(seconds=overlap)
    return value - round(overlap)
