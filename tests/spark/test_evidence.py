"""Spark reads evidence as DuckDB does: the same rows from files of any allowed shape, the same refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine as open_duckdb
from rtoanalytics.engines.plan import FUNCTIONS
from rtoanalytics.engines.spark import open_engine
from rtoanalytics.engines.spark.chain import BODIES
from rtoanalytics.engines.spark.evidence import TYPES, unread_by_spark
from rtoanalytics.errors import EvidenceError
from rtoanalytics.schemas import TABLES, Kind
from tests.core.bundle.folders import BundleFolder, told

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.xdist_group("spark")

INSTANTS = [datetime(2026, 11, 20, 10, 0, number, 250_000, tzinfo=UTC) for number in range(3)]
PAIR = pa.struct([("key", pa.string()), ("value", pa.string())])
SHAPES: list[tuple[str, str, pa.Array[Any]]] = [
    *(("acks", "record_offset", pa.array([5, 6, 7], kind)) for kind in (pa.int8(), pa.uint8(), pa.uint16())),
    *(("acks", "record_offset", pa.array([5, 6, 7], kind)) for kind in (pa.int16(), pa.int32(), pa.uint32())),
    ("acks", "record_offset", pa.array([5, 2**62, 7], pa.uint64())),
    ("acks", "record_offset", pa.array([5, 6, 2**20], pa.float32())),
    ("acks", "record_offset", pa.array([5, 6, 2**50], pa.float64())),
    ("acks", "record_offset", pa.array([Decimal(5), Decimal(6), Decimal(2**62)], pa.decimal128(38, 0))),
    ("acks", "topic", pa.array(["a", "ü", "a"]).dictionary_encode()),
    ("acks", "topic", pa.array(["a", "b", "c"], pa.large_string())),
    ("acks", "record_id", pa.nulls(3)),
    ("acks", "record_id", pa.array(["x", None, ""])),
    *(("acks", "acked_at", pa.array(INSTANTS, pa.timestamp(unit, "UTC"))) for unit in ("ms", "us", "ns")),
    ("acks", "acked_at", pa.array(INSTANTS, pa.timestamp("us", "Asia/Tokyo"))),
    ("metrics", "value", pa.array([1, 2, 3], pa.int32())),
    ("metrics", "value", pa.array([float("nan"), float("inf"), -0.5], pa.float32())),
    ("metrics", "labels", pa.array([[("a", "b")], [], None], pa.map_(pa.string(), pa.string()))),
    ("metrics", "labels", pa.array([[{"key": "a", "value": "b"}], [], None], pa.list_(PAIR))),
    ("metrics", "file_row_number", pa.array([1, 2, 3])),
    ("broker_states", "is_controller", pa.array([True, None, False])),
]
"""Columns in types that are allowed, and one beyond the contract."""
NAMES = ("a b.parquet", "[x]*?{a,b}.parquet", "50%41#=;&.parquet", "cluster=other.parquet", "ü.parquet")


def test_spark_reads_what_duckdb_reads(spark: SparkSession, tmp_path: Path) -> None:
    """Every allowed type, missing and unknown columns, and odd names of files give the same tables on both engines."""
    folder = BundleFolder(tmp_path / "bundle [1] {a,b}=c")
    for number, (table, column, values) in enumerate(SHAPES):
        folder.with_column(table, column, values, f"{number}.parquet")
    for name in NAMES:
        folder.with_column("acks", "record_offset", pa.array([1, 2], pa.int64()), name)
    bundle = open_bundle(folder.root)
    with open_duckdb(bundle) as plain, open_engine(bundle, spark) as on_spark:
        for table in TABLES:
            assert comparable(on_spark.arrow(table)) == comparable(plain.arrow(table)), table


def comparable(table: pa.Table) -> tuple[list[str], list[str]]:
    """Names and rows in some total order, as text: labels have no order of their own, and NaN is not itself."""
    return table.column_names, sorted(str(row) for row in table.to_pylist())


def test_every_type_of_the_contract_has_a_word() -> None:
    """Nothing can be added to the kinds of columns that Spark would not know how to read."""
    assert set(TYPES) == set(Kind)


def test_every_function_has_a_body() -> None:
    """Every function that queries may call is defined on Spark."""
    assert set(BODIES) == set(FUNCTIONS)


def test_what_spark_would_pass_over_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    """A file that Spark would silently skip, or a type it cannot read, is one clear error, not a smaller answer."""
    folder = BundleFolder(tmp_path / "bundle")
    for name in ("_hidden.parquet", "10:00.parquet"):
        folder.with_column("acks", "record_offset", pa.array([1, 2], pa.int64()), name)
    folder.with_column("metrics", "value", pa.array([1.5, 2.5], pa.float16()), "half.parquet")
    bundle = open_bundle(folder.root)
    problems = [
        problem for table, files in bundle.files.items() for each in files for problem in unread_by_spark(table, each)
    ]
    assert "evidence/acks/_hidden.parquet: a name that Spark does not read" in told(problems)
    assert "evidence/acks/10:00.parquet: a name that Spark does not read" in told(problems)
    assert "evidence/metrics/half.parquet, column value: type halffloat" in told(problems)
    with pytest.raises(EvidenceError, match="_hidden"), open_engine(bundle, spark):
        pass


def test_values_are_refused_as_by_duckdb(spark: SparkSession, tmp_path: Path) -> None:
    """A value outside its domain is refused with the same problems, whichever engine was asked for."""
    folder = BundleFolder(tmp_path / "bundle")
    folder.with_column("acks", "record_offset", pa.array([1, -2, 3], pa.int64()))
    bundle = open_bundle(folder.root)
    with pytest.raises(EvidenceError) as refused, open_duckdb(bundle):
        pass
    with pytest.raises(EvidenceError) as refused_on_spark, open_engine(bundle, spark):
        pass
    assert refused_on_spark.value.problems == refused.value.problems
