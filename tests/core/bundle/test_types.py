"""Types: every cast that loses nothing is made, every other type is refused, and a lossy value is found."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import check_bundle, check_values, evidence_select, open_bundle
from rtoanalytics.errors import EvidenceError
from tests.core.bundle.folders import NOON_US, BundleFolder, good_row, table_of, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

LARGEST_EXACT = 2**53 - 1
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
DECIMALS = [pa.decimal128(12, 0), pa.decimal128(12, 3), pa.decimal128(38, 10)]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.large_string())]
PAIRS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))


def read_back(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, table: str, column: str) -> list[Any]:
    """The values of a column as analysis reads them, after every check has passed."""
    opened = open_bundle(bundle.root)
    assert check_values(connection, opened) == []
    select = evidence_select(table, opened.files[table])
    return [value for (value,) in connection.sql(f'SELECT "{column}" FROM ({select})').fetchall()]


def number_array(values: Sequence[int | None], found: pa.DataType) -> pa.Array[Any]:
    """Whole numbers in any numeric type."""
    if pa.types.is_decimal(found):
        return pa.array([None if value is None else Decimal(value) for value in values], found)
    return pa.array(values, pa.float64() if pa.types.is_floating(found) else pa.int64()).cast(found)


@pytest.mark.parametrize("found", [*INTEGERS, *FLOATS, *DECIMALS], ids=str)
@pytest.mark.parametrize("column", ["partition", "record_offset"])
def test_whole_numbers(
    connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, found: pa.DataType, column: str
) -> None:
    """A whole number is read from every numeric type: pandas makes doubles of integers with nulls."""
    bundle.with_column("applied", column, number_array([0, 7, None, 127], found))
    assert read_back(connection, bundle, "applied", column) == [0, 7, None, 127]


@pytest.mark.parametrize("found", [*INTEGERS, *FLOATS], ids=str)
def test_doubles(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, found: pa.DataType) -> None:
    """A double is read from every integer and floating-point type."""
    bundle.with_column("metrics", "value", number_array([0, 7, 127], found))
    assert read_back(connection, bundle, "metrics", "value") == [0.0, 7.0, 127.0]


@pytest.mark.parametrize("found", TEXTS, ids=str)
def test_texts(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, found: pa.DataType) -> None:
    """Text is read from every layout that Arrow has for it."""
    bundle.with_column("acks", "topic", pa.array(["é", ""]).cast(found))
    assert read_back(connection, bundle, "acks", "topic") == ["é", ""]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome", "+05:30", "America/St_Johns"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("is_schema_stored", [True, False])
def test_instants(
    connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, zone: str, unit: str, *, is_schema_stored: bool
) -> None:
    """An instant of any unit and any zone is read as the microsecond that it is."""
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    instants = pa.array([NOON_US // 10**6 * per_second], pa.int64()).cast(pa.timestamp(unit, tz=zone))
    table = table_of("events", [good_row("events")]).set_column(0, "occurred_at", instants)
    pq.write_table(table, bundle.folder("events") / "a.parquet", store_schema=is_schema_stored)
    assert read_back(connection, bundle, "events", "occurred_us") == [NOON_US]


def test_nanoseconds(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Whole microseconds may stand in nanoseconds; a part of one is found, with its file, row and value."""
    nanoseconds = pa.array([NOON_US * 1000 + 1000, NOON_US * 1000 + 1], pa.timestamp("ns", tz="UTC"))
    bundle.with_column("events", "occurred_at", nanoseconds[:1])
    assert read_back(connection, bundle, "events", "occurred_us") == [NOON_US + 1]
    bundle.with_column("events", "occurred_at", nanoseconds)
    text = told(check_bundle(bundle.root))
    assert text.startswith(f"evidence/events/a.parquet, column occurred_at, row 1: {NOON_US * 1000 + 1} ns; ")
    assert "whole microseconds" in text


@pytest.mark.parametrize("column", ["record_id", "partition", "record_offset", "cluster"])
def test_null_type(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, column: str) -> None:
    """An optional column that a writer typed as null, because it never had a value, is all null."""
    bundle.with_column("applied", column, pa.nulls(2))
    assert read_back(connection, bundle, "applied", column) == [None, None]


def test_null_type_without_rows(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """A file without rows may have any column typed as null: pandas and Polars write it so."""
    names = [column.name for column in table_of("acks", [good_row("acks")]).schema]
    bundle.write_table("acks", pa.table({name: pa.nulls(0) for name in names}))
    assert read_back(connection, bundle, "acks", "acked_us") == []


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("acks", "acked_at", pa.array([NOON_US]), r"type int64; a number does not say its unit"),
        ("acks", "acked_at", pa.array([1.5]), r"type double; write timestamp\[us, tz=UTC\]"),
        ("acks", "acked_at", pa.array(["2027-01-15T08:00:00Z"]), r"type string; write timestamp\[us, tz=UTC\]"),
        ("acks", "acked_at", pa.array([date(2027, 1, 15)]), r"type date32\[day\]; write timestamp\[us, tz=UTC\]"),
        (
            "acks",
            "acked_at",
            pa.array([NOON_US], pa.timestamp("us")),
            r"type timestamp\[us\]; an instant without time zone cannot be told from local time; write timestamp",
        ),
        ("acks", "partition", pa.array(["0"]), r"type string; write int32, or any other numeric type"),
        ("acks", "record_offset", pa.array([True]), r"type bool; write int64"),
        ("acks", "record_offset", pa.array([1], pa.duration("us")), r"type duration\[us\]; write int64"),
        (
            "acks",
            "record_offset",
            pa.array([Decimal(1)], pa.decimal256(60, 0)),
            r"type decimal256\(60, 0\); write int64",
        ),
        ("acks", "topic", pa.array([b"t"]), r"type binary; write string"),
        ("acks", "topic", pa.array([1]), r"type int64; write string"),
        ("acks", "topic", pa.array([1]).dictionary_encode(), r"type int64; write string"),
        ("broker_states", "is_controller", pa.array([1]), r"type int64; write bool"),
        ("broker_states", "is_controller", pa.array(["true"]), r"type string; write bool"),
        ("metrics", "value", pa.array(["1"]), r"type string; write double"),
        ("metrics", "value", pa.array([Decimal("0.1")]), r"type decimal128\(1, 1\); write double"),
        ("metrics", "labels", pa.array(["{}"]), r"type string; write map<string, string"),
        ("metrics", "labels", pa.array([{"job": "x"}]), r"type struct<job: string>; write map<string, string"),
        ("metrics", "labels", pa.array([[{"key": "a", "value": 1}]]), r"type list<.*>; write map<string, string"),
    ],
)
def test_refused_types(bundle: BundleFolder, table: str, column: str, values: pa.Array[Any], message: str) -> None:
    """A type that is not cast without loss is refused with file, column, type and what to write instead."""
    bundle.with_column(table, column, values)
    with pytest.raises(EvidenceError, match=rf"^evidence/{table}/a\.parquet, column {column}: {message}"):
        open_bundle(bundle.root)


def test_deprecated_instants(bundle: BundleFolder) -> None:
    """Parquet's old INT96 instants have no zone and are refused."""
    table = table_of("events", [good_row("events")])
    pq.write_table(table, bundle.folder("events") / "a.parquet", use_deprecated_int96_timestamps=True)
    assert "cannot be told from local time" in told(check_bundle(bundle.root))


@pytest.mark.parametrize(
    ("table", "column", "values", "found"),
    [
        ("applied", "record_offset", pa.array([1.0, 1.5]), "1.5"),
        ("applied", "record_offset", pa.array([1.0, float("nan")]), "nan"),
        ("applied", "record_offset", pa.array([1.0, float("inf")]), "inf"),
        ("applied", "record_offset", pa.array([float(LARGEST_EXACT), float(LARGEST_EXACT + 1)]), "9007199254740992.0"),
        ("applied", "record_offset", pa.array([1.0, 2.0**24], pa.float32()), "16777216.0"),
        ("applied", "record_offset", pa.array([1.0, 2048.0], pa.float64()).cast(pa.float16()), "2048.0"),
        ("applied", "record_offset", pa.array([Decimal("1.0"), Decimal("1.5")]), "1.5"),
        ("applied", "record_offset", pa.array([1, 2**63], pa.uint64()), str(2**63)),
        ("applied", "partition", pa.array([1, 2**31]), str(2**31)),
        ("applied", "partition", pa.array([1, 2**31], pa.uint32()), str(2**31)),
        ("applied", "partition", pa.array([1.0, 2.0**31]), "2147483648.0"),
        ("metrics", "value", pa.array([1, LARGEST_EXACT + 1]), str(LARGEST_EXACT + 1)),
        ("metrics", "value", pa.array([1, -LARGEST_EXACT - 1]), str(-LARGEST_EXACT - 1)),
    ],
)
def test_lossy_values(bundle: BundleFolder, table: str, column: str, values: pa.Array[Any], found: str) -> None:
    """A value that its column's type would change is found, and said once with its row."""
    bundle.with_column(table, column, values)
    lines = [line for line in told(check_bundle(bundle.root)).splitlines() if "may hold" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"evidence/{table}/a.parquet, column {column}, row 1: {found}; a {values.type} column")


@pytest.mark.parametrize(
    "labels",
    [
        pa.array([[("a", "1"), ("a", "2")]], pa.map_(pa.string(), pa.string())),
        pa.array([[{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]], PAIRS),
        pa.array([[{"key": None, "value": "1"}]], PAIRS),
        pa.array([[None]], PAIRS),
    ],
)
def test_ambiguous_labels(bundle: BundleFolder, labels: pa.Array[Any]) -> None:
    """A label that stands twice, or has no name, is found."""
    bundle.with_column("metrics", "labels", labels)
    assert "each label name once" in told(check_bundle(bundle.root))


def test_exact_limits(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """The largest integers that a type tells from their neighbors are read."""
    bundle.with_column("applied", "record_offset", pa.array([float(LARGEST_EXACT)]))
    bundle.with_column("applied", "record_offset", pa.array([2.0**24 - 1], pa.float32()), "b.parquet")
    bundle.with_column("applied", "record_offset", pa.array([2**63 - 2], pa.uint64()), "c.parquet")
    read = read_back(connection, bundle, "applied", "record_offset")
    assert sorted(read) == [2**24 - 1, LARGEST_EXACT, 2**63 - 2]
