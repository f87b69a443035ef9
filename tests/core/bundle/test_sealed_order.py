"""The sealed order is the one that is documented, whatever is spared in the sort: constants, and names as numbers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import sealed_order
from rtoanalytics.bundle.compaction import compact_table
from rtoanalytics.bundle.footers import read_footer
from rtoanalytics.schemas import TABLES, Kind
from tests.core.bundle.folders import NOON_US, BundleFolder, Row, good_row

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

PLAIN = [name for name, table in TABLES.items() if all(column.kind is not Kind.LABELS for column in table.columns)]
"""Tables whose values Python orders as SQL does."""


def sealed(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, table_name: str, folder: Path) -> pa.Table:
    """The rows of a table as sealing writes them."""
    table = TABLES[table_name]
    read = [read_footer(bundle.root, path, table)[0] for path in sorted(bundle.folder(table_name).iterdir())]
    (path,) = compact_table(connection, table, [file for file in read if file], folder)
    return pq.read_table(path)


def few_values(table_name: str, chance: random.Random) -> Row:
    """A row of which each column has at most two values, or a null."""
    row = good_row(table_name, chance.randrange(2))
    for column in TABLES[table_name].columns:
        if not column.is_required and not column.required_when and chance.random() < 0.3:
            row[column.name] = None
        elif column.kind in {Kind.NAME, Kind.STRING} and not column.values:
            row[column.name] = chance.choice(["b", "B", "é"])
    return row


def in_order(table_name: str, rows: list[Row]) -> list[Row]:
    """Rows by the table's order and then by all other columns, nulls first, texts by their bytes."""
    table = TABLES[table_name]
    names = dict.fromkeys([*table.order, *table.by_name])

    def key(row: Row) -> list[tuple[bool, Any]]:
        values = [row[name].encode() if isinstance(row[name], str) else row[name] for name in names]
        return [(value is not None, 0 if value is None else value) for value in values]

    return sorted(rows, key=key)


@pytest.mark.parametrize("most_numbered", [0, 50_000], ids=["names as text", "names as numbers"])
@pytest.mark.parametrize("table_name", PLAIN)
def test_as_documented(
    connection: duckdb.DuckDBPyConnection,
    bundle: BundleFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table_name: str,
    most_numbered: int,
) -> None:
    """Rows come in the order that a few lines of Python give them, with names as numbers and without."""
    monkeypatch.setattr(sealed_order, "MOST_NUMBERED", most_numbered)
    chance = random.Random(table_name)
    rows = [few_values(table_name, chance) for _ in range(60)]
    bundle.write(table_name, *rows[:20])
    bundle.write(table_name, *rows[20:], name="b.parquet")
    expected = pa.Table.from_pylist(in_order(table_name, rows), schema=TABLES[table_name].arrow_schema)
    assert sealed(connection, bundle, table_name, tmp_path / "sealed").equals(expected)


NAMES = [
    pytest.param(["é", "e\u0301", "z", "Z", "", "'", '"', "a\0b", "a"], id="odd"),
    pytest.param([f"topic {number}" for number in range(700)], id="more than a byte can number"),
    pytest.param(["only"], id="one"),
    pytest.param(["", None], id="nothing and null"),
    pytest.param([None], id="null"),
]


@pytest.mark.parametrize("names", NAMES)
def test_names(
    connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, tmp_path: Path, names: list[str | None]
) -> None:
    """Names of any text stand in the order of their bytes, as they were captured, and nulls first."""
    shuffled = random.Random(7).sample(names * 3, len(names) * 3)
    bundle.write("applied", *(good_row("applied", 0, topic=name) for name in shuffled))
    read = sealed(connection, bundle, "applied", tmp_path / "sealed")["topic"].to_pylist()
    assert read == sorted(shuffled, key=lambda name: b"" if name is None else b" " + name.encode())


@pytest.mark.parametrize(
    "values",
    [[5, 5, 5], [5, None, 5], [None, None, None], [NOON_US]],
    ids=["one value", "one value and null", "null", "one row"],
)
def test_constants(
    connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, tmp_path: Path, values: list[int | None]
) -> None:
    """A column with one value, with one value and nulls, or with none at all is sealed as it was captured."""
    rows = [
        good_row("acks", 0, outcome="failed", partition=None, record_offset=value, sent_at=value) for value in values
    ]
    bundle.write("acks", *rows)
    read = sealed(connection, bundle, "acks", tmp_path / "sealed")
    assert read.schema.equals(TABLES["acks"].arrow_schema)
    expected = sorted(values, key=lambda value: -1 if value is None else value)
    assert read["record_offset"].to_pylist() == expected
    assert read["sent_at"].cast(pa.int64()).to_pylist() == expected


def test_no_column_varies(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, tmp_path: Path) -> None:
    """Rows that are all equal all stay."""
    bundle.write("events", *[good_row("events")] * 5)
    read = sealed(connection, bundle, "events", tmp_path / "sealed")
    assert read.equals(pa.Table.from_pylist([good_row("events")] * 5, schema=TABLES["events"].arrow_schema))


def test_an_extra_column_named_as_what_is_asked(
    connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, tmp_path: Path
) -> None:
    """Columns beyond the contract may have any name, also those that sealing gives to what it asks of others."""
    bundle.with_column("events", "rows", pa.array([3]))
    bundle.with_column("events", "values of kind", pa.array([4]), "b.parquet")
    read = sealed(connection, bundle, "events", tmp_path / "sealed")
    assert read.select(["rows", "values of kind"]).to_pylist() == [
        {"rows": None, "values of kind": 4},
        {"rows": 3, "values of kind": None},
    ]
