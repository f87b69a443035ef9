"""Applied: the effects in a downstream, read from its own table. Here: SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.applied.layout import APPLIED, AppliedTable, check_columns
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

__all__ = ["AppliedTable", "SqliteApplied"]

_BATCH_ROWS = 50_000


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
    check_columns(layout.columns)
    if "applied_at" not in layout.columns:
        msg = f"columns name no applied_at, which is needed; allowed: {', '.join(APPLIED.by_name)}"
        raise UsageError(msg)
    return tuple(layout.columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
