"""`evidence_select`: one SELECT with contract names, types and order, whatever the files look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import evidence_select, open_bundle
from rtoanalytics.schemas import TABLES, Kind
from tests.core.bundle.folders import NOON_US, BundleFolder, good_row, table_of

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

HOSTILE_TOPIC = "'; drop table x; --"
SQL_TYPES = {
    Kind.STRING: "VARCHAR",
    Kind.NAME: "VARCHAR",
    Kind.INT32: "INTEGER",
    Kind.INT64: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.BOOL: "BOOLEAN",
    Kind.INSTANT: "TIMESTAMP WITH TIME ZONE",
    Kind.LABELS: "MAP(VARCHAR, VARCHAR)",
}


def contract_columns(table_name: str) -> list[tuple[str, str]]:
    """Names and DuckDB types of a table, each instant followed by its microseconds."""
    columns = []
    for column in TABLES[table_name].columns:
        columns.append((column.name, SQL_TYPES[column.kind]))
        if column.kind is Kind.INSTANT:
            columns.append((column.name.removesuffix("_at") + "_us", "BIGINT"))
    return columns


def selected(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, table_name: str) -> list[dict[str, object]]:
    """The rows that the SELECT gives, without `…_at`, in the order of their microseconds and offsets."""
    files = open_bundle(bundle.root).files[table_name]
    rows = connection.sql(evidence_select(table_name, files)).to_arrow_table().to_pylist()
    kept = [{name: value for name, value in row.items() if not name.endswith("_at")} for row in rows]
    return sorted(kept, key=str)


@pytest.mark.parametrize("table_name", TABLES)
def test_columns(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, table_name: str) -> None:
    """Full files, files with the required columns only, no rows and no files all give the same columns and types."""
    required = [column.name for column in TABLES[table_name].columns if column.is_required]
    bundle.write(table_name, good_row(table_name))
    full = open_bundle(bundle.root).files[table_name]
    bundle.write_table(table_name, table_of(table_name, [good_row(table_name)]).select(required), name="b.parquet")
    both = open_bundle(bundle.root).files[table_name]
    for files, rows in ((full, 1), (both[1:], 1), (both, 2), ((), 0)):
        relation = connection.sql(evidence_select(table_name, files))
        assert list(zip(relation.columns, map(str, relation.types), strict=True)) == contract_columns(table_name)
        assert len(relation.to_arrow_table()) == rows


def test_instants_twice(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """An instant is there for people and, in microseconds since the epoch, for queries; null is null in both."""
    bundle.write("acks", good_row("acks", sent_at=None, acked_at=NOON_US + 1))
    select = evidence_select("acks", open_bundle(bundle.root).files["acks"])
    rows = connection.sql(f"SELECT epoch_us(acked_at), acked_us, sent_at IS NULL, sent_us FROM ({select})").fetchall()
    assert rows == [(NOON_US + 1, NOON_US + 1, True, None)]


def test_nothing_is_deduplicated(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Rows captured twice are there twice: what counts once is for the measures to say."""
    for name in ("a.parquet", "b.parquet"):
        bundle.write("acks", good_row("acks"), good_row("acks"), name=name)
    assert len(selected(connection, bundle, "acks")) == 4


def test_files_of_different_shapes(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Column order, extra columns, missing columns and types differ from file to file; every row is read right."""
    good = table_of("commits", [good_row("commits", number) for number in range(3)])
    bundle.write_table("commits", good, "a.parquet")
    bundle.write_table("commits", good.select(good.column_names[::-1]), "b.parquet")
    bundle.write_table("commits", good.append_column("extra", pa.array([1, 2, 3])), "c.parquet")
    bundle.write_table("commits", good.append_column("extra", pa.array(["x"] * 3)), "d.parquet")
    bundle.write_table("commits", good.set_column(3, "partition", good["partition"].cast(pa.float64())), "e.parquet")
    rows = selected(connection, bundle, "commits")
    assert len(rows) == 15
    assert rows == sorted(rows[::5] * 5, key=str)


def test_source(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """On request each row says the file it came from and its place in it, from 0."""
    bundle.write("acks", good_row("acks"), good_row("acks", 1))
    path = bundle.write("acks", good_row("acks", 2), name="b.parquet")
    select = evidence_select("acks", open_bundle(bundle.root).files["acks"], with_source=True)
    rows = connection.sql(f"SELECT evidence_file, evidence_row FROM ({select}) ORDER BY record_offset").fetchall()
    assert rows == [(str(path.with_name("a.parquet")), 0), (str(path.with_name("a.parquet")), 1), (str(path), 0)]


@pytest.mark.parametrize(
    "name", ["filename", "file_row_number", "File_Row_Number", "file_index", "evidence_file", "acked_us", "captured"]
)
def test_extra_columns_do_not_interfere(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, name: str) -> None:
    """An extra column may have the name of anything that we or DuckDB add to a row: it is ignored."""
    path = bundle.with_column("acks", name, pa.array(["mine"]))
    bundle.write("acks", good_row("acks", 1), name="b.parquet")
    select = evidence_select("acks", open_bundle(bundle.root).files["acks"], with_source=True)
    rows = connection.sql(f"SELECT acked_us, evidence_file FROM ({select}) ORDER BY 1").fetchall()
    assert rows == [(NOON_US, str(path)), (NOON_US + 1, str(path.with_name("b.parquet")))]


def test_hostile_topic(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """A topic named like an attack is a topic."""
    bundle.write("acks", good_row("acks", topic=HOSTILE_TOPIC))
    assert [row["topic"] for row in selected(connection, bundle, "acks")] == [HOSTILE_TOPIC]


@pytest.mark.parametrize(
    "folder",
    [
        "it's",
        'say "x"',
        "a[b]c",
        "[!a]",
        "a*",
        "**",
        "a?b",
        "{a,b}",
        "50%",
        "x;--",
        "cluster=west",
        "a\\b",
        "é ü",
        "~",
        "s3:",
    ],
)
def test_folder_names(connection: duckdb.DuckDBPyConnection, tmp_path: Path, folder: str) -> None:
    """Quotes, brackets, glob characters and `key=value` in folder and file names are nothing but names."""
    bundle = BundleFolder(tmp_path / folder)
    decoy = BundleFolder(tmp_path / "ab")
    for other in ("b", "abc", "axb"):
        BundleFolder(tmp_path / other).write("acks", good_row("acks", cluster="decoy"))
    decoy.write("acks", good_row("acks", cluster="decoy"))
    bundle.write("acks", good_row("acks", cluster="mine"))
    if "\\" not in folder:
        bundle.write("acks", good_row("acks", cluster="mine"), name="f[0]'*.parquet")
    bundle.write("acks", good_row("acks", cluster="mine"), name="f0.parquet")
    assert {row["cluster"] for row in selected(connection, bundle, "acks")} == {"mine"}
    assert len(selected(connection, bundle, "acks")) == len(list(bundle.folder("acks").iterdir()))


def test_labels_as_pairs(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Labels may be a map or a list of key and value, in either order of the two."""
    pairs = pa.list_(pa.struct([("value", pa.string()), ("key", pa.string())]))
    bundle.with_column("metrics", "labels", pa.array([[{"key": "id", "value": "0"}], None, []], pairs))
    bundle.write("metrics", good_row("metrics", labels=[("id", "0")]), name="b.parquet")
    rows = selected(connection, bundle, "metrics")
    assert sorted(str(row["labels"]) for row in rows) == ["None", "[('id', '0')]", "[('id', '0')]", "[]"]


def test_nan_is_not_lost(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """A WHERE finds NaN, although the statistics in a Parquet footer leave it out."""
    values = [1.0, float("nan"), 5.0]
    bundle.write("metrics", *(good_row("metrics", number, value=value) for number, value in enumerate(values)))
    select = evidence_select("metrics", open_bundle(bundle.root).files["metrics"])
    for condition, rows in (("value > 100", 1), ("isnan(value)", 1), ("NOT value <= 100", 1), ("value < 2", 1)):
        found = connection.sql(f"SELECT observed_us FROM ({select}) WHERE {condition}").fetchall()
        assert len(found) == rows, condition


def test_many_files(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Hundreds of small files are one SELECT."""
    table = table_of("acks", [good_row("acks")])
    for number in range(300):
        pq.write_table(table, bundle.folder("acks") / f"{number}.parquet")
    assert len(selected(connection, bundle, "acks")) == 300
