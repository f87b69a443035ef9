"""Which step a seal is at, and how much of the work lies before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rtoanalytics.bundle.compaction import SORTING, WRITING
from rtoanalytics.engines.progress import Step, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    import duckdb

    from rtoanalytics.bundle import Bundle

READING = "reading"
_CHECKING, _RECORDING = "checking every value", "recording every file"
"""Steps are named as they are told."""
_VALUE_COST = 0.06
_COSTS = {READING: 0.1, SORTING: 1.0, WRITING: 0.7}
"""What a row costs in each step, relative to sorting it. Hashes are hardly anything."""
_EVERY_STEP = 20_000
"""What any step costs beyond its rows, in rows sorted."""
_SORTED_BY = 0.4
"""About what DuckDB says of the whole query when it has sorted and begins to hand over."""


class SealSteps:
    """Tells whoever watches which step a seal is at. Nothing is told to None."""

    def __init__(self, watch: Callable[[Step], None] | None, bundle: Bundle) -> None:
        self._watch = watch
        self._rows = {name: bundle.rows(name) for name in bundle.files}
        self._steps = Steps(self._tell if watch else None, _costs(self._rows))
        self._within: Callable[[Step], float] = _as_told
        self._written = 0.0
        self.follow: Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[None]] = self._steps.follow
        """Look at what a connection is computing, for as long as the block lasts."""

    def check(self) -> None:
        """Values are being checked."""
        self._at(_CHECKING, _as_told)

    def read(self, table: str) -> None:
        """A table is being looked at."""
        self._at(_of(READING, table), _as_told)

    def compact(self, table: str, doing: str, rows: int) -> None:
        """A table is being sorted, or written: so many rows of it have been. What `compact_table` tells."""
        self._written = rows / (self._rows[table] or 1)
        if doing == SORTING:
            self._at(_of(doing, table), lambda step: min(1.0, step.within() / _SORTED_BY))
        elif rows == 0:
            self._at(_of(doing, table), lambda _: self._written)

    def record(self) -> None:
        """Every file is being recorded in the manifest."""
        self._at(_RECORDING, _as_told)

    def _at(self, step: str, within: Callable[[Step], float]) -> None:
        self._within = within
        self._steps.at(step, step)

    def _tell(self, step: Step) -> None:
        within = self._within
        if self._watch:
            self._watch(replace(step, within=lambda: within(step)))


def _as_told(step: Step) -> float:
    return step.within()


def _of(doing: str, table: str) -> str:
    return f"{doing} {table}"


def _costs(rows: Mapping[str, int]) -> dict[str, float]:
    """What each step costs, in rows sorted: an estimate good enough for a bar."""
    tables = {
        _of(doing, table): _EVERY_STEP + cost * count for table, count in rows.items() for doing, cost in _COSTS.items()
    }
    return {_CHECKING: _EVERY_STEP + _VALUE_COST * sum(rows.values()), **tables, _RECORDING: _EVERY_STEP}
