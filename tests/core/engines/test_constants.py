"""Columns of large tables that never vary are found by their values, and not reading them changes no answer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.bundle import evidence_select, open_bundle
from rtoanalytics.engines import duckdb as engine_module
from rtoanalytics.engines.constants import constant_columns
from rtoanalytics.engines.duckdb import open_engine
from rtoanalytics.schemas import TABLES
from tests.core.laws.drills import answers_of_seed, seeds
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST_ROWS = 5_000
"""More than are looked at for what may be constant."""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine without a bundle."""
    with duckdb.connect() as opened:
        yield opened


def constants_of(connection: duckdb.DuckDBPyConnection, rows: int, last: Mapping[str, Any]) -> Mapping[str, str | None]:
    """What is found of a table of acknowledgements with as many rows, alike but for the last one."""
    row: dict[str, Any] = {"cluster": "primary", "topic": "t", "outcome": "acked", "acks": "it's all"}
    table = pa.Table.from_pylist([row] * (rows - 1) + [{**row, **last}], schema=TABLES["acks"].arrow_schema)
    connection.register("arriving", table)
    connection.execute('create or replace view "acks" as select * from arriving')
    return constant_columns(connection, "acks")


def test_texts_and_nulls_that_every_row_has(connection: duckdb.DuckDBPyConnection) -> None:
    """One text, or null, in every row; numbers and instants are not asked for."""
    assert constants_of(connection, FIRST_ROWS, {}) == {
        "cluster": "primary",
        "topic": "t",
        "record_id": None,
        "producer": None,
        "outcome": "acked",
        "error": None,
        "acks": "it's all",
    }


@pytest.mark.parametrize("rows", [2, FIRST_ROWS])
@pytest.mark.parametrize(
    ("column", "value"), [("cluster", "recovery"), ("cluster", None), ("error", "timed out"), ("record_id", "")]
)
def test_one_row_that_differs(connection: duckdb.DuckDBPyConnection, rows: int, column: str, value: str | None) -> None:
    """One other value is enough, wherever it stands: another text, a null among texts, a text among nulls."""
    found = constants_of(connection, rows, {column: value})
    assert column not in found
    assert len(found) == 6


def test_text_that_cannot_be_written_down(connection: duckdb.DuckDBPyConnection) -> None:
    """A text with characters that no one sees is read as it is."""
    assert "cluster" not in constants_of(connection, 1, {"cluster": "a\x00b"})


def test_a_table_without_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Nothing is known of the columns of no row."""
    connection.execute(f'create view "acks" as {evidence_select("acks", ())}')
    assert constant_columns(connection, "acks") == {}


def test_footers_are_not_believed(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A footer that says a column was null throughout, or the same, proves nothing."""
    groups = {"true": ["a", "b"], "said": ["a", "a"]}
    contents = {}
    for name, values in groups.items():
        rows = [{"cluster": "c", "topic": value, "outcome": "acked"} for value in values for _ in range(FIRST_ROWS)]
        sink = io.BytesIO()
        table = pa.Table.from_pylist(rows, schema=TABLES["acks"].arrow_schema)
        pq.write_table(table, sink, compression="none", use_dictionary=False, row_group_size=FIRST_ROWS)
        contents[name] = sink.getvalue()
    footer_bytes = int.from_bytes(contents["said"][-8:-4], "little") + 8
    assert len(contents["true"]) == len(contents["said"])
    path = tmp_path / "acks.parquet"
    path.write_bytes(contents["true"][:-footer_bytes] + contents["said"][-footer_bytes:])
    connection.execute(f"create view \"acks\" as from read_parquet('{path}')")
    found = constant_columns(connection, "acks")
    assert "topic" not in found
    assert found["cluster"] == "c"


@pytest.fixture
def asked_of_every_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask of tables with a single row too."""
    monkeypatch.setattr(engine_module, "LARGE_ROWS", 1)


@pytest.mark.parametrize("seed", seeds(6))
def test_results_are_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Every file of results/ has the same bytes whether tables are asked or not."""
    expected = answers_of_seed(tmp_path / "not-asked", seed)
    monkeypatch.setattr(engine_module, "LARGE_ROWS", 1)
    assert expected.differing(answers_of_seed(tmp_path / "asked", seed)) == []


@pytest.mark.usefixtures("asked_of_every_table")
@pytest.mark.parametrize("seed", seeds(3))
def test_evidence_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """The relations of evidence hold the same rows, of the same types; some column of them is constant."""
    write_bundle(tmp_path / "bundle", *random_drill(seed), files=3)
    bundle = open_bundle(tmp_path / "bundle")
    with open_engine(bundle) as asked:
        monkeypatch.setattr(engine_module, "LARGE_ROWS", 10**9)
        with open_engine(bundle) as plain:
            assert any(asked.bundle.constants.values())
            assert not any(plain.bundle.constants.values())
            for name in TABLES:
                assert asked.arrow(name).equals(plain.arrow(name)), name
