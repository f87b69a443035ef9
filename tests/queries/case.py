"""One case of one query: a folder of CSVs, one for each relation the query reads, and what it must answer.

    tests/queries/<query>/<case>/
        <relation>.csv     rows of a relation that the query reads; one that is left out is empty
        drill.yaml         optional: where the relations of the drill definition come from
        expected.csv       every row of the answer; columns that the case is not about may be left out
        expected.<engine>.csv   optional: what an engine's own words answer, where they may tell less

An empty cell is null, '' is empty text. Instants are microseconds, or seconds with an s behind them: 2.5s. Columns of
evidence stand under the names that queries use: `acked_us`, not `acked_at`. A new case needs no Python.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from rtoanalytics.bundle import microseconds_name
from rtoanalytics.drill import parse_drill
from rtoanalytics.engines.definition import SCHEMAS, definition_relations
from rtoanalytics.engines.duckdb import define_functions
from rtoanalytics.queries import GRID, load_queries
from rtoanalytics.schemas import TABLES, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.queries import Query
    from rtoanalytics.schemas import Column

Row = dict[str, Any]

_RETURNED_TYPES: dict[str, pa.DataType] = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "varchar": pa.string(),
}
HASH = "1000 * cast(ascii(record_id) as bigint) + record_offset"
"""A hash of identities that can be worked out by hand: engines hash each in their own way."""
NAMES_HASH = (
    "1000000000 * cast(ascii(downstream) as bigint) + 1000000 * ascii(coalesce(cluster, '?'))"
    " + 1000 * ascii(coalesce(topic, '?')) + coalesce(partition, 999)"
)
"""The same of the names of a source: three digits for the first letter of each, and for the partition.

Of db, primary, t, 0 it is 100 112 116 000; a name that is null counts as ?, 063.
"""
EXPECTED, DEFINITION = "expected.csv", "drill.yaml"
PORTABLE = "portable"
"""The words of a query that every engine runs, unless it has its own."""


@dataclass(frozen=True)
class Case:
    """A folder, and the query it is about."""

    folder: Path
    query: Query

    def expected(self, words: str = PORTABLE) -> tuple[list[str], list[Row]]:
        """The columns that the case is about, and the rows that the query must answer, in an engine's words."""
        own = self.folder / own_expected(words)
        return read_rows(own if own.exists() else self.folder / EXPECTED, schema_of(self.query.name))

    def answered(self, statement: str) -> list[Row]:
        """Every row that a statement of the query answers, over nothing but the relations of the case.

        Rows have the columns of `expected`.
        """
        with duckdb.connect() as connection:
            define_functions(connection)
            connection.execute(f"create or replace macro identity_hash(record_id, record_offset) as ({HASH})")
            connection.execute(
                f"create or replace macro source_hash(downstream, cluster, topic, partition) as ({NAMES_HASH})"
            )
            for relation in self.query.reads:
                connection.register("arriving", self._relation(relation))
                connection.execute(f'create table "{relation}" as select * from arriving')
                connection.unregister("arriving")
            columns = ", ".join(f'"{name}"' for name in self.expected()[0])
            rows: list[Row] = connection.sql(f"select {columns} from ({statement})").to_arrow_table().to_pylist()
        return rows

    def strangers(self) -> list[str]:
        """Files of the folder that are nothing the query reads: names that were mistyped."""
        known = {
            EXPECTED,
            DEFINITION,
            *map(own_expected, self.query.own_words),
            *(f"{relation}.csv" for relation in self.query.reads),
        }
        return sorted(path.name for path in self.folder.iterdir() if path.name not in known)

    def _relation(self, name: str) -> pa.Table:
        schema = schema_of(name)
        path = self.folder / f"{name}.csv"
        if path.exists():
            return pa.Table.from_pylist(read_rows(path, schema)[1], schema=schema)
        if name in SCHEMAS and (self.folder / DEFINITION).exists():
            return definition_relations(parse_drill((self.folder / DEFINITION).read_bytes()))[name]
        return schema.empty_table()


def own_expected(words: str) -> str:
    """The file of a case with what an engine's own words answer."""
    return f"expected.{words}.csv"


def cases(folder: Path) -> list[Case]:
    """Every case below tests/queries, in order. A folder that is named for no query is a mistake."""
    queries = load_queries()
    return [
        Case(case, queries[query.name])
        for query in sorted(folder.iterdir())
        if query.is_dir() and query.name != "__pycache__"
        for case in sorted(query.iterdir())
    ]


def schema_of(relation: str) -> pa.Schema:
    """The columns of a relation as queries find them."""
    if relation in SCHEMAS:
        return SCHEMAS[relation]
    if relation == GRID:
        return pa.schema([("step_us", pa.int64())])
    if relation in TABLES:
        return pa.schema([_evidence_field(column) for column in TABLES[relation].columns])
    return pa.schema([(column.name, _RETURNED_TYPES[column.type]) for column in load_queries()[relation].returns])


def _evidence_field(column: Column) -> pa.Field[Any]:
    if column.kind is Kind.INSTANT:
        return pa.field(microseconds_name(column.name), pa.int64())
    return pa.field(column.name, column.arrow_type)


def read_rows(path: Path, schema: pa.Schema) -> tuple[list[str], list[Row]]:
    """The header and the rows of a CSV, each value in the type of its column; an unknown column is a KeyError."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        names = list(reader.fieldnames or [])
        return names, [{name: value_of(row[name], schema.field(name).type) for name in names} for row in reader]


def value_of(text: str, kind: pa.DataType) -> Any:  # noqa: ANN401  (whatever the column holds)
    """A cell as a value.

    >>> value_of("2.5s", pa.int64()), value_of("", pa.int64()), value_of("''", pa.string()), value_of("7", pa.float64())
    (2500000, None, '', 7.0)
    """
    if text == "":
        return None
    if pa.types.is_string(kind):
        return "" if text == "''" else text
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[text]
    if pa.types.is_floating(kind):
        return float(text)
    return round(float(text[:-1]) * 1_000_000) if text.endswith("s") else int(text)
