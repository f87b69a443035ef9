"""The rows of one table in sealed order, sorted by no more than tells them apart.

What DuckDB sorts it also carries, and what does not fit into memory it writes to the disk and reads again. So a column
that has one value in all rows is left out of the sort, and a name that repeats goes through it as its number in the
order of all its values. Neither changes the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rtoanalytics.bundle.select import alike_files, from_files, readings
from rtoanalytics.bundle.sql import quoted
from rtoanalytics.schemas import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import duckdb

    from rtoanalytics.bundle.files import EvidenceFile
    from rtoanalytics.schemas import Table

    Scalar = pa.Scalar[Any]

MOST_NUMBERED = 50_000
"""A column of names with (about) more different values than this is sorted as text."""

_COMPARED = frozenset({Kind.INT32, Kind.INT64, Kind.INSTANT})
"""Kinds of which the smallest and the largest value are quickly found, and the same when they are equal."""


@dataclass(frozen=True)
class SealedRows:
    """The rows of one table, sorted."""

    batches: pa.RecordBatchReader
    """The columns that vary, at least one; names may come as dictionaries."""
    constants: Mapping[str, Scalar]
    """The value of each of the other columns, null included."""


def sealed_rows(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    files: Sequence[EvidenceFile],
    schema: pa.Schema,
    batch_rows: int,
    sorting: Callable[[], None] = lambda: None,
) -> SealedRows:
    """Every row of `files` in the columns of `schema`: the table's, and behind them those beyond the contract.

    Rows are sorted by the table's order, then by all other columns, nulls first. Equal rows all stay. How many rows a
    batch has is up to DuckDB, about `batch_rows`. `sorting` is called when all rows were looked at once and the sort
    begins; it is done when this returns.
    """
    rows = _CapturedRows(connection, table, schema, _captured_select(table, files, schema))
    select = rows.sorted_select()
    sorting()
    reader = connection.sql(select).to_arrow_reader(batch_rows)
    return SealedRows(reader, {name: rows.constants[name] for name in schema.names if name not in reader.schema.names})


@dataclass(frozen=True)
class _CapturedRows:
    """The rows of one table as they were captured, and what has to be known of them to sort them."""

    connection: duckdb.DuckDBPyConnection
    table: Table
    schema: pa.Schema
    select: str

    def sorted_select(self) -> str:
        """The columns that vary, in sealed order."""
        varying = [name for name in self.schema.names if name not in self.constants] or self.schema.names[:1]
        selected = ", ".join(f"{self._carried(name)} AS {quoted(name)}" for name in varying)
        order = ", ".join(f"{key} NULLS FIRST" for key in self._sort_keys(varying))
        return f"SELECT {selected} FROM ({self.select}) AS evidence ORDER BY {order}"  # noqa: S608  (all names quoted)

    @cached_property
    def constants(self) -> Mapping[str, Scalar]:
        """The one value of each column that has no other, null included, as far as that is quickly found."""
        return {name: value for name in self.schema.names if (value := self._only_value(name)) is not None}

    def _only_value(self, name: str) -> Scalar | None:
        values = self._seen[f"values of {name}"]
        if not values.as_py():
            null: Scalar = pa.scalar(None, self.schema.field(name).type)
            return null
        if values != self._seen["rows"]:
            return None
        first, last = self._ends(name)
        return first if first == last else None

    def _ends(self, name: str) -> tuple[Scalar | None, Scalar | None]:
        """The smallest and the largest value of a column without nulls, where they are known."""
        if name in self._names:
            return self._names[name][0], self._names[name][-1]
        return self._seen.get(f"first of {name}"), self._seen.get(f"last of {name}")

    @cached_property
    def _seen(self) -> Mapping[str, Scalar]:
        """What one look at all rows tells, by what `_looks` calls it."""
        looks = {label: look for name in self.schema.names for label, look in self._looks(name).items()}
        return self._ask({"rows": "count(*)", **looks})

    def _looks(self, name: str) -> dict[str, str]:
        kind = self.table.by_name[name].kind if name in self.table.by_name else None
        looks = {f"values of {name}": f"count({quoted(name)})"}
        if kind in _COMPARED:
            looks |= {f"first of {name}": f"min({quoted(name)})", f"last of {name}": f"max({quoted(name)})"}
        if kind is Kind.NAME:
            looks[f"names in {name}"] = f"approx_count_distinct({quoted(name)})"
        return looks

    @cached_property
    def _names(self) -> Mapping[str, pa.Array[Any]]:
        """All values of every column of names that has some, but not too many, in their order."""
        counts = {name: self._seen.get(f"names in {name}") for name in self.schema.names}
        few = [name for name, count in counts.items() if count is not None and 0 < count.as_py() <= MOST_NUMBERED]
        distinct = "list_sort(list(DISTINCT {0}) FILTER ({0} IS NOT NULL))"
        found = self._ask({name: distinct.format(quoted(name)) for name in few}) if few else {}
        return {name: names.values for name, names in found.items()}  # type: ignore[attr-defined]  # of a list

    def _ask(self, looks: Mapping[str, str]) -> Mapping[str, Scalar]:
        """One row of aggregates over all rows."""
        asked = ", ".join(f"{look} AS {quoted(label)}" for label, look in looks.items())
        row = self.connection.sql(f"SELECT {asked} FROM ({self.select})").to_arrow_table()  # noqa: S608  (as above)
        return {label: row[label][0] for label in row.column_names}

    def _carried(self, name: str) -> str:
        """A column as it goes through the sort."""
        value = f"evidence.{quoted(name)}"
        if name not in self._names:
            return value
        numbered = quoted(f"numbered {name}")
        self.connection.register("names", pa.table({"name": self._names[name]}))
        self.connection.execute(f"CREATE OR REPLACE TEMP TYPE {numbered} AS ENUM (SELECT name FROM names)")  # noqa: S608
        self.connection.unregister("names")
        return f"CAST({value} AS {numbered})"

    def _sort_keys(self, varying: Sequence[str]) -> list[str]:
        """A total order of rows: no two rows that differ are equal under it, so the sealed bytes do not depend on luck.

        Columns as their positions in the SELECT.
        """
        first = [name for name in self.table.order if name in varying]
        floating = [name for name in varying if pa.types.is_floating(self.schema.field(name).type)]
        # 0.0 and -0.0 compare equal.
        signs = [f"signbit(evidence.{quoted(name)})" for name in floating]
        return [*(str(varying.index(name) + 1) for name in dict.fromkeys([*first, *varying])), *signs]


def _captured_select(table: Table, files: Sequence[EvidenceFile], schema: pa.Schema) -> str:
    extras = schema.names[len(table.columns) :]
    return "\nUNION ALL\n".join(_select_alike(table, alike, extras) for alike in alike_files(files, schema.names))


def _select_alike(table: Table, files: Sequence[EvidenceFile], extras: Sequence[str]) -> str:
    read = readings(table.columns, files[0])
    listed = [f"{read[column.name].value} AS {quoted(column.name)}" for column in table.columns]
    beyond = [f"{_as_it_is(name, files[0])} AS {quoted(name)}" for name in extras]
    return f"SELECT {', '.join([*listed, *beyond])} {from_files(files)}"


def _as_it_is(name: str, file: EvidenceFile) -> str:
    return f"captured.{quoted(name)}" if name in file.columns else "NULL"
