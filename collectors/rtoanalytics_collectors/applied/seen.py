"""Effects that were read before, known by their `application_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics_collectors.spool import Row

REMEMBERED = 2_000_000
"""Effects whose repetition is left out; one that repeats after more than these is captured twice and counts once."""


class SeenEffects:
    """The identities of the last effects of one downstream."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def only_new(self, applied: pa.Table, fresh: dict[str, None]) -> pa.Table:
        """Rows whose effect was not seen before, nor is in `fresh`, to which their effects are added."""
        is_new = []
        for name in applied.column("application_id").to_pylist():
            is_new.append(name is None or (name not in self._names and name not in fresh))
            if name is not None:
                fresh[name] = None
        return applied if all(is_new) else applied.filter(pa.array(is_new, pa.bool_()))

    def remember(self, names: Iterable[str]) -> None:
        """Take effects as seen, and forget the oldest beyond the limit."""
        self._names.update(dict.fromkeys(names))
        while len(self._names) > REMEMBERED:
            del self._names[next(iter(self._names))]


def captured_effects(captured: Iterable[Row], downstream: str) -> list[str]:
    """The `application_id` of every captured effect of one downstream."""
    mine = (row.get("application_id") for row in captured if row.get("downstream") == downstream)
    return [name for name in mine if name is not None]
