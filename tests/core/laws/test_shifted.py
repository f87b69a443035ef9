"""When a drill happened does not matter: only how long things took."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.core.laws.drills import answers_of, seeds
from tests.reference.drill_facts import micros, step_seconds_of
from tests.reference.evidence import COLUMNS
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reference.evidence import Row, Tables

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
DAYS_BACK = 8_000


@pytest.mark.parametrize("seed", seeds(12))
def test_durations_and_counts_do_not_depend_on_the_date(tmp_path: Path, seed: int) -> None:
    """All instants moved by a whole number of steps: every count, duration and verdict stays, every instant moves."""
    drill, tables = random_drill(seed)
    step_us = micros(step_seconds_of(drill))
    shift_us = -(DAYS_BACK * 86_400_000_000 // step_us) * step_us
    now = answers_of(tmp_path / "now", drill, tables)
    then = answers_of(tmp_path / "then", drill, moved(tables, shift_us))
    assert moved_back(then.scorecard, shift_us) == now.scorecard
    for name in now.files:
        if name.endswith(".parquet"):
            assert table_moved_back(then.files[name], shift_us).equals(pq.read_table(BytesIO(now.files[name]))), name


def moved(tables: Tables, shift_us: int) -> Tables:
    """Every table with all its instants moved."""
    return {name: [moved_row(name, row, shift_us) for row in rows] for name, rows in tables.items()}


def moved_row(table: str, row: Row, shift_us: int) -> Row:
    """A row with its instants moved."""
    instants = {column for column, kind in COLUMNS[table].items() if kind == "instant"}
    return {name: value + shift_us if name in instants and value is not None else value for name, value in row.items()}


def moved_back(value: Any, shift_us: int) -> Any:  # noqa: ANN401  (any part of a JSON document)
    """A document in which every instant is moved back."""
    if isinstance(value, dict):
        return {key: moved_back(item, shift_us) for key, item in value.items()}
    if isinstance(value, list):
        return [moved_back(item, shift_us) for item in value]
    if isinstance(value, str) and INSTANT.fullmatch(value):
        earlier = datetime.fromisoformat(value) - timedelta(microseconds=shift_us)
        return earlier.isoformat().replace("+00:00", "Z")
    return value


def table_moved_back(content: bytes, shift_us: int) -> pa.Table:
    """A relation in which every instant is moved back."""
    table = pq.read_table(BytesIO(content))
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            back = pa.scalar(shift_us, pa.duration("us"))
            table = table.set_column(place, field, pc.subtract(table.column(place), back))
    return table
