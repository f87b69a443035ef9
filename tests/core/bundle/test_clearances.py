"""One look at all rows: rules are cleared where nothing breaks them, by the values and not by the footers."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import check_bundle, check_values, open_bundle
from rtoanalytics.bundle.footers import read_footer
from rtoanalytics.bundle.rules import count_of, rules_of
from rtoanalytics.bundle.select import from_files
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US, MAX_OFFSET, TABLES, Kind
from tests.core.bundle.folders import good_row, table_of, told

if TYPE_CHECKING:
    import duckdb

    from rtoanalytics.schemas import Column
    from tests.core.bundle.folders import BundleFolder, Row


def _before_and_in_the_footer(rows: list[Row]) -> tuple[bytes, bytes]:
    """Rows of acks as a file, cut in two before its footer."""
    sink = io.BytesIO()
    pq.write_table(table_of("acks", rows), sink, compression="none", use_dictionary=False)
    content = sink.getvalue()
    footer_bytes = int.from_bytes(content[-8:-4], "little") + 8
    return content[:-footer_bytes], content[-footer_bytes:]


@pytest.mark.parametrize("files", [1, 2])
def test_footers_are_not_believed(bundle: BundleFolder, files: int) -> None:
    """What is found does not depend on what footers say of nulls and of the smallest and the largest values."""
    rows = [good_row("acks", row, cluster=name) for row, name in enumerate(("a", "a", "b", "c"))]
    wrong = {"cluster": None, "partition": -1, "record_offset": -7, "acked_at": -1, "outcome": "fails", "acks": "two"}
    wrong_rows = [rows[0] | wrong, rows[1], rows[2] | {"cluster": "bbbbbb"}, rows[3]]  # the same sizes in all
    good_footer = _before_and_in_the_footer(rows)[1]
    wrong_values, true_footer = _before_and_in_the_footer(wrong_rows)
    told_of = []
    for footer in (true_footer, good_footer):
        for number in range(files):
            (bundle.folder("acks") / f"{number}.parquet").write_bytes(wrong_values + footer)
        told_of.append(told(check_bundle(bundle.root)))
    assert true_footer != good_footer
    assert told_of[0] == told_of[1]
    assert all(f"column {name}, row 0" in told_of[0] for name in wrong)


def _edges(column: Column) -> list[object]:
    """Values in and around the domain of a column."""
    text: list[object] = ["", "no", *column.values]
    numbers: list[object] = [-1, 0, 1, MAX_OFFSET]
    edges: dict[Kind, list[object]] = {
        Kind.STRING: text,
        Kind.NAME: text,
        Kind.INT32: [-1, 0, 1],
        Kind.INT64: [*numbers, MAX_OFFSET + 1, -(2**63)],
        Kind.DOUBLE: [float("nan"), float("inf"), -float("inf"), -0.5, 0.0, 1.0],
        Kind.INSTANT: [-1, FIRST_INSTANT_US, LAST_INSTANT_US - 1, LAST_INSTANT_US, -(2**63) + 1, 2**63 - 1],
        Kind.BOOL: [True, False],
        Kind.LABELS: [[("a", "1")], [("a", "1"), ("a", "2")]],
    }
    return [None, *edges[column.kind]]


@pytest.mark.parametrize("table_name", TABLES)
def test_clearances(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder, table_name: str) -> None:
    """Every rule is cleared exactly where no row breaks it, whatever else the rows hold."""
    table = TABLES[table_name]
    chance = random.Random(table_name)
    for _ in range(25):
        edges = {column.name: chance.choice(_edges(column)) for column in table.columns if chance.random() < 0.3}
        rows = [good_row(table_name, 0), good_row(table_name, 1, **edges)][chance.randrange(2) :]
        path = bundle.write(table_name, *rows)
        file, _ = read_footer(bundle.root, path, table)
        assert file
        rules = rules_of(table, file)
        asked = ", ".join(f"coalesce({rule.clearance}, true), {count_of(rule.offends)}" for rule in rules)
        (told_of,) = connection.sql(f"SELECT {asked} {from_files([file])}").fetchall()
        for rule, is_clear, count in zip(rules, told_of[::2], told_of[1::2], strict=True):
            assert is_clear == (count == 0), (rule, edges)


def test_the_optimizer_is_left_as_it_was(connection: duckdb.DuckDBPyConnection, bundle: BundleFolder) -> None:
    """The connection that values are checked on plans its later queries as before."""
    connection.execute("SET disabled_optimizers = 'join_order'")
    bundle.write("acks", good_row("acks"))
    assert check_values(connection, open_bundle(bundle.root)) == []
    assert connection.sql("SELECT current_setting('disabled_optimizers')").fetchall() == [("join_order",)]
