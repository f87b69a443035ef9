"""Judge a drill under other objectives and tolerances, as often as asked, without touching what was stored.

The evidence is read once. A change of the recovery time objective or of a tolerance is judged from the measures that
stand; a change of the hold time or of a lag limit runs the queries again that know of them, and no others.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from rtoanalytics.analysis import case_of
from rtoanalytics.bundle import open_bundle
from rtoanalytics.drill.conditions import LagCondition
from rtoanalytics.drill.definition import Criteria, Objectives
from rtoanalytics.engines.duckdb import open_engine, run_again, run_queries
from rtoanalytics.errors import UsageError
from rtoanalytics.measures import take_measures
from rtoanalytics.queries import in_order, load_queries
from rtoanalytics.scorecard import scorecard_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from rtoanalytics.drill import Drill


@dataclass(frozen=True)
class Terms:
    """What a drill is judged by, as far as it can be moved. Limits are inclusive; None means no limit."""

    rto_seconds: float
    rpo_records: int | None
    hold_seconds: float
    lag_records: Mapping[str, int]
    """Limit of each lag condition on records, by group."""
    criteria: Mapping[str, float | None] = field(default_factory=dict)
    """Every tolerance under its name in drill.yaml."""


def terms_of(drill: Drill) -> Terms:
    """The terms that a definition sets."""
    restored = drill.objectives.restored_when
    limits = {
        condition.group_id: condition.max_records
        for condition in restored.conditions
        if isinstance(condition, LagCondition) and condition.max_records is not None
    }
    return Terms(
        drill.objectives.rto_seconds,
        drill.objectives.rpo_records,
        restored.hold_seconds,
        limits,
        drill.criteria.model_dump(),
    )


def on_terms(drill: Drill, terms: Terms) -> Drill:
    """The definition under other terms. Raises UsageError for terms that no drill.yaml may have."""
    objectives = drill.objectives.model_dump()
    objectives |= {"rto_seconds": terms.rto_seconds, "rpo_records": terms.rpo_records}
    objectives["restored_when"]["hold_seconds"] = terms.hold_seconds
    for condition in objectives["restored_when"]["conditions"]:
        if condition["kind"] == "lag" and condition["max_records"] is not None:
            condition["max_records"] = terms.lag_records.get(condition["group_id"], condition["max_records"])
    try:
        return drill.model_copy(
            update={
                "objectives": Objectives.model_validate(objectives),
                "criteria": Criteria.model_validate(drill.criteria.model_dump() | dict(terms.criteria)),
            }
        )
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        msg = f"terms that no drill may have: {found}"
        raise UsageError(msg) from None


class WhatIf:
    """One bundle, its evidence read once. Thread-safe; close it, or use it as a context manager."""

    def __init__(self, root: Path) -> None:
        """Read and reconcile the evidence; results/ stay as they are. Raises what `analyze_bundle` raises."""
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self.bundle = open_bundle(root)
        self._engine = self._stack.enter_context(open_engine(self.bundle))
        try:
            run_queries(self._engine, keep_long=False)
            self._case = case_of(self.bundle, take_measures(self._engine))
        except BaseException:
            self._stack.close()
            raise
        self._drill = self.bundle.drill

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the engine and its temporary folder."""
        self._stack.close()

    def judge(self, terms: Terms) -> dict[str, Any]:
        """The scorecard as it would be under other terms. Raises UsageError for terms that no drill may have."""
        drill = on_terms(self.bundle.drill, terms)
        with self._lock:
            if drill.objectives.restored_when != self._drill.objectives.restored_when:
                run_again(self._engine, drill, queries_of_terms())
                self._drill = drill
            engine = replace(self._engine, bundle=replace(self.bundle, drill=drill))
            return scorecard_document(replace(self._case, drill=drill, measures=take_measures(engine)))


def queries_of_terms() -> frozenset[str]:
    """The queries that know of the hold time or of a condition's limit, and all that read them."""
    moved: set[str] = set()
    for query in in_order(load_queries()):
        knows = "drill_conditions" in query.reads or "hold_us" in query.sql
        if knows or moved & set(query.reads):
            moved.add(query.name)
    return frozenset(moved)
