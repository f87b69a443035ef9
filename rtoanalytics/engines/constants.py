"""Find the columns of a large table that hold one value in every row, or none: queries need not read those.

In most drills all acknowledgements come from one cluster and all effects go to one downstream, and many columns are
null throughout. Values decide, not what footers say of them: the columns that the first rows suggest are read once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtoanalytics.bundle.sql import quoted, text_literal
from rtoanalytics.bundle.values import by_values_alone
from rtoanalytics.schemas import TABLES, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

LARGE_ROWS = 1_000_000
"""Rows from which on a table is asked: in fewer, reading a column again takes less time than asking."""

_FIRST_ROWS = 2_048
_TEXTS = frozenset({Kind.NAME, Kind.STRING})
_SPARSE = frozenset({"ordinal"})
"""Columns of other kinds that queries read and that most drills leave empty."""


def constant_columns(connection: duckdb.DuckDBPyConnection, table_name: str) -> Mapping[str, str | None]:
    """The one text that every row of a relation has in a column, None for null, by column; all others are left out.

    The relation stands under the name of an evidence table and has its columns. One without rows has none of these.
    """
    asked = [column for column in TABLES[table_name].columns if column.kind in _TEXTS or column.name in _SPARSE]
    suggested = _suggested(connection, table_name, asked)
    if not suggested:
        return {}
    proofs = ", ".join(_proof(name, value) for name, value in suggested.items())
    with by_values_alone(connection):
        (proven,) = connection.sql(f'SELECT {proofs} FROM "{table_name}"').fetchall()
    return {name: suggested[name] for name, is_proven in zip(suggested, proven, strict=True) if is_proven}


def _suggested(
    connection: duckdb.DuckDBPyConnection, table_name: str, columns: Sequence[Column]
) -> dict[str, str | None]:
    """What some rows have in each column, where all of them have the same."""
    names = ", ".join(quoted(column.name) for column in columns)
    rows = connection.sql(f'SELECT {names} FROM "{table_name}" LIMIT {_FIRST_ROWS}').fetchall()
    seen = {column.name: set(values) for column, values in zip(columns, zip(*rows, strict=True), strict=False)}
    suggested = {name: values.pop() for name, values in seen.items() if len(values) == 1}
    return {name: value for name, value in suggested.items() if value is None or _is_plain(value)}


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _proof(name: str, value: str | None) -> str:
    """An aggregate over all rows that is true if the column holds this value everywhere."""
    column = quoted(name)
    if value is None:
        return f"count({column}) = 0"
    # Of a column that is stored with a dictionary, DuckDB calls a function for each entry, not for each row.
    return f"count(list_position([{text_literal(value)}], {column})) = count(*)"
