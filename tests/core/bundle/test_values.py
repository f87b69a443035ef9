"""Values: every domain of the contract, found with file, column, row, what stands there and what may."""

from __future__ import annotations

import re
import time
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import check_bundle, check_values, evidence_select, open_bundle
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US, MAX_OFFSET, TABLES, Kind
from tests.core.bundle.folders import UTC, BundleFolder, good_row, table_of, told

NAN, INFINITE = float("nan"), float("inf")
INSTANT_PROBLEM = "instants from 1970-01-01 to 2199-12-31"


@pytest.mark.parametrize("table_name", TABLES)
def test_required(bundle: BundleFolder, table_name: str) -> None:
    """A null in any required column of any table is found, each in its own row."""
    required = [column.name for column in TABLES[table_name].columns if column.is_required]
    bundle.write(table_name, *(good_row(table_name, row, **{name: None}) for row, name in enumerate(required)))
    lines = told(check_bundle(bundle.root)).splitlines()
    assert [line.partition("(")[0] for line in lines] == [
        f"evidence/{table_name}/a.parquet, column {name}, row {row}: null; required "
        for row, name in enumerate(required)
    ]


@pytest.mark.parametrize("table_name", TABLES)
@pytest.mark.parametrize("unit", ["us", "ms", "ns"])
def test_instants(bundle: BundleFolder, table_name: str, unit: Literal["us", "ms", "ns"]) -> None:
    """An instant before 1970 or after 2199 is found in every instant column, up to what DuckDB takes for infinity."""
    per_unit = {"us": 1.0, "ms": 1e-3, "ns": 1e3}[unit]
    limits = [FIRST_INSTANT_US, LAST_INSTANT_US - 1000, FIRST_INSTANT_US - 1000, LAST_INSTANT_US]
    extremes = [2**63 - 1, -(2**63) + 1] if unit != "ms" else [2**52, -(2**52)]
    values = pa.array([int(value * per_unit) for value in limits] + extremes, pa.timestamp(unit, tz="UTC"))
    names = [column.name for column in TABLES[table_name].columns if column.kind is Kind.INSTANT]
    table = table_of(table_name, [good_row(table_name, number) for number in range(len(values))])
    for name in names:
        table = table.set_column(table.column_names.index(name), name, values)
    bundle.write_table(table_name, table)
    lines = [line for line in told(check_bundle(bundle.root)).splitlines() if INSTANT_PROBLEM in line]
    assert len(lines) == 3 * len(names)
    for name, first, second in zip(names, lines[::3], lines[1::3], strict=True):
        where = f"evidence/{table_name}/a.parquet, column {name}"
        assert first.startswith(f"{where}, row 2: 1969-12-31 23:59:59.999 UTC (the first of 4 such rows)")
        assert second.startswith(f"{where}, row 3: 2200-01-01 00:00:00 UTC")


def test_instant_limits(bundle: BundleFolder) -> None:
    """The first and the last instant allowed are allowed; an instant of -1 ms, Kafka's "none", is not."""
    bundle.with_column("events", "occurred_at", pa.array([FIRST_INSTANT_US, LAST_INSTANT_US - 1], UTC))
    assert check_bundle(bundle.root) == []
    bundle.with_column("events", "occurred_at", pa.array([-1], pa.timestamp("ms", tz="UTC")), "b.parquet")
    assert "evidence/events/b.parquet, column occurred_at, row 0: 1969-12-31" in told(check_bundle(bundle.root))


WRONG_VALUES = [
    ("acks", {"partition": -1}, "column partition, row 1: -1; at least 0"),
    ("acks", {"record_offset": -1}, "column record_offset, row 1: -1; at least 0"),
    ("acks", {"record_offset": 2**63 - 1}, f"row 1: {2**63 - 1}; at most {MAX_OFFSET}"),
    ("acks", {"record_offset": -(2**63)}, f"row 1: {-(2**63)}; at least 0"),
    ("acks", {"outcome": "ok"}, "column outcome, row 1: ok; one of acked, failed, indeterminate, aborted"),
    ("acks", {"outcome": "ACKED"}, "row 1: ACKED; one of acked"),
    ("acks", {"outcome": ""}, "column outcome, row 1: ; one of acked"),
    ("acks", {"acks": "-1"}, "column acks, row 1: -1; one of all, 1, 0"),
    ("acks", {"record_offset": None}, "null where outcome is acked; required where outcome is acked"),
    ("acks", {"partition": None}, "null where outcome is acked; required where outcome is acked"),
    ("commits", {"committed_offset": -1}, "row 1: -1; at least 0"),
    ("commits", {"method": "api"}, "row 1: api; one of log, poll"),
    ("commits", {"leader_epoch": -1}, "row 1: -1; at least 0"),
    ("applied", {"ordinal": -1}, "row 1: -1; at least 0"),
    ("partition_states", {"leader": -1}, "row 1: -1; at least 0 (broker id of the leader; null = none)"),
    ("partition_states", {"replicas": -1}, "row 1: -1; at least 0"),
    ("client_stats", {"role": "Producer"}, "row 1: Producer; one of producer, consumer"),
    ("client_stats", {"timeouts": -1}, "row 1: -1; at least 0"),
    ("client_stats", {"rtt_p99_ms": NAN}, "row 1: nan; a finite number"),
    ("client_stats", {"rtt_p99_ms": -0.5}, "row 1: -0.5; at least 0"),
    ("heartbeats", {"interval_seconds": 0.0}, "row 1: 0.0; more than 0"),
    ("heartbeats", {"interval_seconds": NAN}, "row 1: nan; a finite number"),
    ("heartbeats", {"interval_seconds": INFINITE}, "row 1: inf; a finite number"),
    ("heartbeats", {"clock_offset_ms": -INFINITE}, "row 1: -inf; a finite number"),
    ("heartbeats", {"clock_error_ms": NAN}, "row 1: nan; a finite number"),
    ("heartbeats", {"clock_error_ms": -1.0}, "row 1: -1.0; at least 0"),
    ("heartbeats", {"rows": -1}, "row 1: -1; at least 0"),
    (
        "log_scans",
        {"from_offset": 5, "to_offset": 4},
        "column from_offset, row 1: 5, and to_offset 4; at most to_offset",
    ),
    ("watermarks", {"log_start_offset": 11, "log_end_offset": 10}, "row 1: 11, and log_end_offset 10; at most log_end"),
    ("checkpoints", {"downstream_offset": -1}, "row 1: -1; at least 0"),
    ("offset_syncs", {"upstream_offset": -1}, "row 1: -1; at least 0"),
]


@pytest.mark.parametrize(("table", "changed", "message"), WRONG_VALUES)
def test_outside_the_domain(bundle: BundleFolder, table: str, changed: dict[str, object], message: str) -> None:
    """Each value outside its domain is one problem, with the row and what is allowed."""
    bundle.write(table, good_row(table), good_row(table, 1, **changed))
    text = told(check_bundle(bundle.root))
    assert message in text
    assert text.startswith(f"evidence/{table}/a.parquet, column {next(iter(changed))}, row 1: ")
    assert text.count("\n") == 0


RIGHT_VALUES = [
    ("acks", {"record_offset": MAX_OFFSET}),
    ("acks", {"outcome": "failed", "record_offset": None, "partition": None}),
    ("acks", {"outcome": "indeterminate", "record_offset": None, "error": "_MSG_TIMED_OUT", "acks": None}),
    ("acks", {"topic": "'; drop table x; --"}),
    ("applied", {"cluster": None, "topic": None, "partition": None, "record_offset": None}),
    ("commits", {"committed_offset": 0, "commit_seq": -5}),
    ("partition_states", {"in_sync": 5, "replicas": 3, "leader": None}),
    ("log_scans", {"from_offset": 5, "to_offset": 5}),
    ("watermarks", {"log_start_offset": None}),
    ("connector_states", {"progress": -(2**63), "task_id": None}),
    ("metrics", {"value": NAN}),
    ("metrics", {"value": -INFINITE, "labels": None}),
    ("events", {"kind": "anything of mine"}),
    ("heartbeats", {"interval_seconds": 1e-9, "clock_offset_ms": -1e9}),
]


@pytest.mark.parametrize(("table", "changed"), RIGHT_VALUES)
def test_inside_the_domain(bundle: BundleFolder, table: str, changed: dict[str, object]) -> None:
    """Values at the edge of their domain, and those that only look odd, are left in peace."""
    bundle.write(table, good_row(table, 0, **changed))
    assert check_bundle(bundle.root) == []


def test_acked_without_the_column(bundle: BundleFolder) -> None:
    """An acked row needs its offset also where the file has no such column at all."""
    row = good_row("acks")
    del row["record_offset"], row["partition"]
    bundle.write("acks", row)
    lines = told(check_bundle(bundle.root)).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "evidence/acks/a.parquet, column partition, row 0",
        "evidence/acks/a.parquet, column record_offset, row 0",
    ]


def test_examples_and_counts(bundle: BundleFolder) -> None:
    """Of many offending rows three are shown, the first by file and row, with the number of all of them."""
    for name in ("b", "a"):
        bundle.write("acks", *(good_row("acks", partition=-number) for number in range(500)), name=f"{name}.parquet")
    bundle.with_column("acks", "partition", pa.array([-7.0]), "c.parquet")
    lines = told(check_bundle(bundle.root)).splitlines()
    assert lines == [
        f"evidence/acks/a.parquet, column partition, row {row}: {found}; at least 0 (partition number)"
        for row, found in ((1, "-1 (the first of 999 such rows)"), (2, "-2"), (3, "-3"))
    ]


def test_all_columns_at_once(bundle: BundleFolder) -> None:
    """Several wrong columns of several tables are all told."""
    bundle.write("acks", good_row("acks", partition=-1, outcome="no", acked_at=-1))
    bundle.write("commits", good_row("commits", topic=None))
    assert len(check_bundle(bundle.root)) == 4


def test_values_beside_a_refused_column(bundle: BundleFolder) -> None:
    """Where one column has a type that is refused, the values of the others are checked all the same."""
    row = good_row("acks", 0, partition=-1)
    table = pa.Table.from_pylist([row | {"acked_at": "yesterday"}])
    bundle.write_table("acks", table.drop_columns("sent_at"))
    text = told(check_bundle(bundle.root))
    assert "column acked_at: type string" in text
    assert "column partition, row 0: -1" in text


def test_hostile_text(bundle: BundleFolder) -> None:
    """What a message shows of the evidence cannot command a terminal nor fill it."""
    bundle.write("acks", good_row("acks", outcome="\x1b[2J\n" + "x" * 10_000))
    text = told(check_bundle(bundle.root))
    assert text.isprintable()
    assert "\\x1b[2J\\n" in text
    assert len(text) < 300


def test_not_utf8(bundle: BundleFolder) -> None:
    """Text that is not UTF-8 is told with its file and column, and other files are still checked."""
    bundle.with_column("acks", "topic", pa.array([b"\xff\xfe"]).view(pa.string()))
    bundle.write("acks", good_row("acks", partition=-1), name="b.parquet")
    text = told(check_bundle(bundle.root))
    assert "evidence/acks/a.parquet, column topic: cannot be read" in text
    assert "evidence/acks/b.parquet, column partition, row 0: -1" in text


def test_damage_in_the_middle(bundle: BundleFolder) -> None:
    """A file whose footer is whole but whose pages are not is told, with the columns that cannot be read."""
    path = bundle.folder("acks") / "a.parquet"
    table = pa.Table.from_pylist([good_row("acks", number) for number in range(1000)], TABLES["acks"].arrow_schema)
    pq.write_table(table, path, compression="zstd")
    content = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(table.column_names.index("record_offset"))
    start = chunk.data_page_offset
    content[start : start + chunk.total_compressed_size // 2] = b"\xff" * (chunk.total_compressed_size // 2)
    path.write_bytes(content)
    assert re.match(r"evidence/acks/a\.parquet, column record_offset: cannot be read", told(check_bundle(bundle.root)))


def test_damage_does_not_spread(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Some damage makes DuckDB give up a connection for good: good files that come after are not blamed for it."""
    bundle.write("acks", good_row("acks"))
    bundle.write("commits", good_row("commits", partition=-1))
    opened = open_bundle(bundle.root)
    connection.close()
    (problem,) = check_values(connection, opened)
    assert problem.where == "evidence/commits/a.parquet, column partition, row 0"


def test_lack_of_memory_is_no_problem_of_the_evidence(bundle: BundleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """When DuckDB fails for want of memory or because it was interrupted, the files are not blamed."""
    bundle.write("acks", good_row("acks"))

    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException

    monkeypatch.setattr("rtoanalytics.bundle.values.rules_of", fail)
    with pytest.raises(duckdb.OutOfMemoryException):
        check_bundle(bundle.root)


def test_no_time_zone_in_the_answer(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """Messages show instants in UTC wherever the reader sits."""
    bundle.write("events", good_row("events", occurred_at=-1_000_000))
    (problem,) = check_values(connection, open_bundle(bundle.root))
    assert problem.found == "1969-12-31 23:59:59 UTC"


def test_checked_evidence_can_be_read(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """What passes the check is selected without a cast failing, at the edges of every type."""
    bundle.with_column("acks", "record_offset", pa.array([0, MAX_OFFSET], pa.uint64()))
    bundle.with_column("acks", "acked_at", pa.array([0, LAST_INSTANT_US - 1], UTC), "b.parquet")
    opened = open_bundle(bundle.root)
    assert check_values(connection, opened) == []
    rows = connection.sql(
        f"SELECT max(record_offset), max(acked_us) FROM ({evidence_select('acks', opened.files['acks'])})"
    )
    assert rows.fetchall() == [(MAX_OFFSET, LAST_INSTANT_US - 1)]


def test_small_bundles_are_quick(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """A bundle with every table is opened and checked in a fraction of a second."""
    for name in TABLES:
        bundle.write(name, *(good_row(name, number) for number in range(100)))
    started = time.perf_counter()
    assert check_values(connection, open_bundle(bundle.root)) == []
    assert time.perf_counter() - started < 2
