"""Which step an analysis is at, and how much of the work lies before it.

Steps differ by orders of magnitude. What a step costs is estimated from the rows that it reads: those of large
evidence tables, also where they are read through views or tables as long as they are.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from rtoanalytics.engines.plan import LONG, SUMMARIES, VIEWS, Progress
from rtoanalytics.queries import GRID, in_order, load_queries

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from rtoanalytics.bundle import Bundle
    from rtoanalytics.queries import Query

VALUES, LAYING, SEAL, RESULTS = "values", "laying", "seal", "results"
"""Steps that are no queries."""

_WORDS = {
    VALUES: "checking every value",
    LAYING: "reading the evidence",
    SEAL: "comparing with the seal",
    RESULTS: "writing results",
    "evidence": "what was captured",
    "M1": "the fate of each record",
    "M2": "what is missing from the logs",
    "M3": "the ledger",
    "M4": "duplicates by origin",
    "M5": "reordered records",
    "M6": "findings",
    "M7": "lag",
    "M8": "backlog burn-down",
    "M9": "recovery time",
    "M10": "recovery point",
    "M11": "coverage",
}
_SAMPLED = ("commits", "watermarks")
"""Tables that have about as many rows as lag has: one for each partition and step."""
_BY_STEP = "M7"
"""The measure whose tables are as long as that."""
_AS_OF_STEPS = 10
"""What finding out something of each partition as of each step costs, of what reading a row does."""
_EVERY_STEP = 20_000
"""What any step costs beyond its rows, in rows."""
_ROWS_SUMMED_UP = 20
"""Rows of evidence, roughly, of which a row of a summary tells."""
_VALUE_SHARE = 0.5
"""What checking the values of a row costs, of what reading it in a query does."""
_BYTES_A_ROW = 100
"""How many bytes are compared with a seal while a query reads a row."""


@dataclass(frozen=True)
class Step:
    """One step of an analysis, as it is told when it begins."""

    words: str
    """What is being found out."""
    begins: float
    """Share of the whole work, 0 to 1, that lies before it."""
    ends: float
    """Share of the whole work that is done when it is."""
    within: Callable[[], float]
    """Share of the step that is done, 0 to 1: may be asked at any time, from any thread."""


class Steps:
    """Tells whoever watches which step an analysis is at. Nothing is told to None."""

    def __init__(self, watch: Callable[[Step], None] | None, costs: Mapping[str, float]) -> None:
        self._watch = watch
        self._costs = costs
        self._total = sum(costs.values()) or 1.0
        self._done = 0.0
        self._step = ""
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def at(self, step: str, words: str = "") -> None:
        """The step before is done, and this one begins."""
        self._done += self._costs.get(self._step, 0.0)
        self._step = step
        if self._watch:
            ends = self._done + self._costs.get(step, 0.0)
            shares = (min(1.0, self._done / self._total), min(1.0, ends / self._total))
            self._watch(Step(words or _WORDS[step], *shares, self._within))

    def at_query(self, progress: Progress) -> None:
        """The same, as `run_queries` tells it."""
        if progress.query:
            self.at(progress.query, _words_of(load_queries()[progress.query]))

    @contextmanager
    def follow(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Look at what this connection is computing, for as long as the block lasts, to say how far a step has come."""
        if self._watch:
            connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None

    def _within(self) -> float:
        with self._lock:
            try:
                percent = self._connection.query_progress() if self._connection else 0.0
            except duckdb.Error:
                return 0.0
        return min(1.0, max(0.0, percent / 100))


def costs_of(
    bundle: Bundle,
    checked: Collection[str],
    sealed_bytes: int,
    covered: Callable[[str], Collection[str]] = lambda _: (),
) -> dict[str, float]:
    """What each step of an analysis costs, in rows read by a query: an estimate good enough for a bar.

    `checked` are the names of files whose values need no checking; `sealed_bytes` are to be compared with a seal;
    `covered` tells the names of files that a summary need not read.
    """
    rows = {name: bundle.rows(name) for name in bundle.files}
    rows[GRID] = max(rows.get(name, 0) for name in _SAMPLED)
    unchecked = sum(file.rows for files in bundle.files.values() for file in files if file.name not in checked)
    return {
        VALUES: _EVERY_STEP + _VALUE_SHARE * unchecked,
        LAYING: _EVERY_STEP + rows[GRID],
        **query_costs(in_order(load_queries()), rows),
        **{name: _EVERY_STEP + _rows_of(bundle, table, covered(name)) for name, table in SUMMARIES.items()},
        SEAL: _EVERY_STEP + sealed_bytes / _BYTES_A_ROW,
        RESULTS: _EVERY_STEP + 2 * rows[GRID],
    }


def query_costs(order: Sequence[Query], rows: Mapping[str, int]) -> dict[str, float]:
    """What each query costs, by the rows of evidence tables and of the grid that it reads through what stands between.

    >>> from rtoanalytics.queries import load_queries
    >>> scan = load_queries()["latest_scans"]
    >>> query_costs([scan], {"log_scans": 7})["latest_scans"] - query_costs([scan], {})["latest_scans"]
    7.0
    """
    read = dict(rows)
    costs: dict[str, float] = {}
    for query in order:
        longest = [read.get(name, 0) for name in query.reads]
        is_by_step = _BY_STEP in query.measures
        laid = _AS_OF_STEPS * read.get(GRID, 0) if is_by_step and GRID in query.reads else 0
        costs[query.name] = 0.0 if query.name in VIEWS else float(_EVERY_STEP + sum(longest) + laid)
        if query.name in SUMMARIES:
            read[query.name] = max(longest) // _ROWS_SUMMED_UP
        elif query.name in VIEWS | LONG or is_by_step:
            read[query.name] = max(longest, default=0)
    return costs


def _rows_of(bundle: Bundle, table: str, without: Collection[str]) -> int:
    return sum(file.rows for file in bundle.files.get(table, ()) if file.name not in without)


def _words_of(query: Query) -> str:
    return next((_WORDS[measure] for measure in query.measures if measure in _WORDS), query.name)
