"""Effects in SQLite: each row once, in order, without ever writing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors.applied.sqlite import AppliedTable, SqliteApplied
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from pathlib import Path

LAYOUT = AppliedTable(
    table='odd "table"',
    columns={"partition": "part", "record_offset": "off", "record_id": "the id", "applied_at": "at us"},
    order="seq",
)


def insert(path: Path, *offsets: int) -> None:
    """Apply records in one transaction."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            'create table if not exists "odd ""table""" '
            '(seq integer primary key autoincrement, part int, off int, "the id" text, "at us" int)'
        )
        database.executemany(
            'insert into "odd ""table""" (part, off, "the id", "at us") values (0, ?, ?, ?)',
            [(offset, f"r{offset}", 1_000 + offset) for offset in offsets],
        )


def test_each_effect_is_read_once(tmp_path: Path) -> None:
    """A look gives what came since the last one, with the key of the effect as its application_id."""
    path = tmp_path / "d.sqlite"
    insert(path, 5, 6)
    applied = SqliteApplied("db", path, LAYOUT, "c")
    first = applied.collect()["applied"]
    assert first[0] == {
        "downstream": "db",
        "cluster": "c",
        "partition": 0,
        "record_offset": 5,
        "record_id": "r5",
        "applied_at": 1_005,
        "application_id": "1",
    }
    assert applied.collect() == {"applied": []}
    insert(path, 6, 7)
    assert [(row["record_offset"], row["application_id"]) for row in applied.collect()["applied"]] == [
        (6, "3"),
        (7, "4"),
    ]
    assert len(first) == 2


def test_more_than_one_batch_is_read_in_one_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look ends when there is nothing left, however much there was."""
    monkeypatch.setattr("rtoanalytics_collectors.applied.sqlite._BATCH_ROWS", 3)
    path = tmp_path / "d.sqlite"
    insert(path, *range(10))
    assert [row["record_offset"] for row in SqliteApplied("db", path, LAYOUT).collect()["applied"]] == list(range(10))


def test_database_that_is_not_there_is_transient_and_not_created(tmp_path: Path) -> None:
    """Read-only: a missing database or table is an answer for later, and nothing is made of it."""
    path = tmp_path / "d.sqlite"
    applied = SqliteApplied("db", path, LAYOUT)
    with pytest.raises(TransientError, match="cannot be read"):
        applied.collect()
    assert not path.exists()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table other (a int)")
    with pytest.raises(TransientError, match="no such table"):
        applied.collect()
    insert(path, 1)
    assert len(applied.collect()["applied"]) == 1


def test_layout_must_name_columns_of_the_evidence(tmp_path: Path) -> None:
    """A column that evidence does not have, or no instant, is refused with what is allowed."""
    for columns in ({"offset": "off", "applied_at": "at"}, {"partition": "part"}):
        with pytest.raises(UsageError, match="allowed: downstream, cluster"):
            SqliteApplied("db", tmp_path / "d", AppliedTable("t", columns, "seq"))
