"""How evidence happens to lie on disk changes no byte of results/."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rtoanalytics.results import RELATIONS, SCORECARD
from rtoanalytics.seal import seal_bundle
from tests.core.laws.drills import analyzed, answers_of, answers_of_seed, seeds
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.laws.drills import Answers, Scorecard

COVERAGE = "coverage.parquet"


@pytest.mark.parametrize("seed", seeds(12))
def test_order_and_files_do_not_matter(tmp_path: Path, seed: int) -> None:
    """Rows in another order, and spread over three files a table, give the same bytes in every file of results/."""
    drill, tables = random_drill(seed)
    plain = answers_of(tmp_path / "plain", drill, tables)
    assert sorted(plain.files) == sorted([SCORECARD, *(f"{relation}.parquet" for relation in RELATIONS)])
    shuffled = answers_of(tmp_path / "shuffled", drill, tables, shuffle_seed=seed, files=3)
    assert plain.differing(shuffled) == []


@pytest.mark.parametrize("seed", seeds(4))
def test_a_second_run_writes_the_same_bytes(tmp_path: Path, seed: int) -> None:
    """Analyzing a bundle that has results already gives the same bytes again, and leaves nothing else behind."""
    first = answers_of_seed(tmp_path / "bundle", seed)
    before = sorted(path.name for path in (tmp_path / "bundle").iterdir())
    assert first.differing(analyzed(tmp_path / "bundle")) == []
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == before


@pytest.mark.parametrize("seed", seeds(8))
def test_a_row_captured_twice_counts_once(tmp_path: Path, seed: int) -> None:
    """Every row of every table but applied, captured twice: nothing changes but how many rows were captured."""
    drill, tables = random_drill(seed)
    plain = answers_of(tmp_path / "plain", drill, tables)
    twice = {name: rows if name == "applied" else rows + rows for name, rows in tables.items()}
    doubled = answers_of(tmp_path / "doubled", drill, twice, shuffle_seed=seed, files=2)
    assert set(plain.differing(doubled)) <= {COVERAGE}
    assert without_row_count(plain).equals(without_row_count(doubled))


def without_row_count(answers: Answers) -> pa.Table:
    """Coverage without the column that counts rows captured, twice or not."""
    return pq.read_table(BytesIO(answers.files[COVERAGE])).drop_columns(["row_count"])


@pytest.mark.parametrize("seed", seeds(8))
def test_columns_beyond_the_format_are_ignored(tmp_path: Path, seed: int) -> None:
    """Columns that nobody listed, also with names that queries use themselves, change no byte."""
    plain = answers_of_seed(tmp_path / "plain", seed)
    drill, tables = random_drill(seed)
    write_bundle(tmp_path / "wide", drill, tables, files=2)
    for number, path in enumerate(sorted((tmp_path / "wide" / "evidence").rglob("*.parquet"))):
        widen(path, number)
    assert plain.differing(analyzed(tmp_path / "wide")) == []


def widen(path: Path, number: int) -> None:
    """Add columns to a file, in front and behind, with values that differ from file to file and row to row."""
    table = pq.read_table(path)
    names = ("offset", "acked_us", "observed_us", "file_row_number", "step_us", "Cluster name; --")
    for place, name in enumerate(names):
        values = pa.array([f"{number} {place} {row}" for row in range(table.num_rows)], pa.string())
        table = table.add_column(place if place % 2 else table.num_columns, name, values)
    pq.write_table(table, path)


@pytest.mark.parametrize("seed", seeds(8))
def test_sealing_changes_only_what_is_said_about_the_seal(tmp_path: Path, seed: int) -> None:
    """Sealing sorts and compacts: every relation keeps its bytes, and the scorecard all but its governance."""
    open_answers = answers_of_seed(tmp_path / "bundle", seed)
    seal_bundle(tmp_path / "bundle")
    sealed = analyzed(tmp_path / "bundle")
    assert set(open_answers.differing(sealed)) <= {SCORECARD}
    assert (open_answers.scorecard["drill"]["seal"], sealed.scorecard["drill"]["seal"]) == ("unsealed", "sealed")
    assert without_seal(open_answers.scorecard) == without_seal(sealed.scorecard)


def without_seal(scorecard: Scorecard) -> Scorecard:
    """The scorecard without its verdict, its governance row, and the word about the seal."""
    drill = {key: value for key, value in scorecard["drill"].items() if key != "seal"}
    rows = [row for row in scorecard["rows"] if row["area"] != "governance"]
    return scorecard | {"drill": drill, "rows": rows, "verdict": None}
