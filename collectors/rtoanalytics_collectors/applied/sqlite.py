"""Applied: the effects in a downstream, read from its own table. Here: SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import UsageError
from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

_BATCH_ROWS = 50_000


@dataclass(frozen=True)
class AppliedTable:
    """Where a downstream keeps its effects, in its own names."""

    table: str
    columns: Mapping[str, str]
    """Column of the downstream by column of the evidence table `applied`; instants are integer microseconds."""
    order: str
    """A column that only grows, in the order effects become visible (an autoincrement key of a single writer):
    rows are read once, in this order. Where writers commit out of order, rows would be missed."""
    application_id: bool = True
    """Whether `order` identifies the effect, and so becomes its `application_id`."""


class SqliteApplied:
    """Effects of one downstream, each read once. Opens the database read-only, a connection a look."""

    tables = ("applied",)

    def __init__(self, downstream: str, database: Path, layout: AppliedTable, cluster: str | None = None) -> None:
        self.target = downstream
        self._database = database
        self._layout = layout
        self._names = _evidence_names(layout)
        self._constants = {"downstream": downstream, "cluster": cluster}
        self._last: Any = None

    def collect(self) -> Sample:
        """Read what is new. Raises TransientError when the database or table cannot be read (yet)."""
        rows: list[Row] = []
        try:
            with closing(self._connect()) as connection:
                while batch := self._read(connection):
                    rows += [self._row(values) for values in batch]
                    self._last = batch[-1][-1]
        except sqlite3.Error as error:
            msg = f'downstream "{self.target}": {self._database.name} cannot be read: {error}'
            raise TransientError(msg) from None
        return {"applied": rows}

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._database.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)

    def _read(self, connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
        order = _quoted(self._layout.order)
        columns = ", ".join([*(_quoted(name) for name in self._layout.columns.values()), order])
        new = "" if self._last is None else f"where {order} > ?"
        statement = f"select {columns} from {_quoted(self._layout.table)} {new} order by {order} limit {_BATCH_ROWS}"  # noqa: S608  (names are quoted)
        return connection.execute(statement, () if self._last is None else (self._last,)).fetchall()

    def _row(self, values: tuple[Any, ...]) -> Row:
        row = {**self._constants, **dict(zip(self._names, values, strict=False))}
        if self._layout.application_id:
            row["application_id"] = str(values[-1])
        return row


def _evidence_names(layout: AppliedTable) -> tuple[str, ...]:
    allowed = TABLES["applied"].by_name
    unknown = [name for name in layout.columns if name not in allowed]
    if unknown or "applied_at" not in layout.columns:
        msg = f"columns name {unknown or 'no applied_at'}; allowed: {', '.join(allowed)}; applied_at is needed"
        raise UsageError(msg)
    return tuple(layout.columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
