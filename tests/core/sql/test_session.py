"""Sessions: every relation under its name, computed only when asked for, and nothing but reading."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.errors import QueryError, UsageError
from rtoanalytics.queries import load_queries
from rtoanalytics.schemas import TABLES
from rtoanalytics.sql_session import CATALOG, Session, all_relations, open_session, write_database

if TYPE_CHECKING:
    from pathlib import Path


def rows(session: Session, statement: str) -> list[dict[str, object]]:
    """The answer as dictionaries."""
    found: list[dict[str, object]] = session.ask(statement).to_arrow_table().to_pylist()
    return found


def tree_state(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_evidence_captured_twice_counts_once(session: Session) -> None:
    """Rows captured twice are one row of evidence, but two effects in `applied`."""
    assert rows(session, "select count(*) as n from acks") == [{"n": 3}]
    assert rows(session, "select count(*) as n from applied") == [{"n": 4}]


def test_instants_are_instants(session: Session) -> None:
    """Instants are `…_at TIMESTAMPTZ`, durations `…_seconds`; no column is called `…_us`."""
    clock = rows(session, "select typeof(clock_started_at) as type, epoch_us(clock_started_at) as us from clock")
    assert clock == [{"type": "TIMESTAMP WITH TIME ZONE", "us": 1_795_168_800_000_000}]
    objectives = rows(session, "from drill_objectives")[0]
    assert (objectives["rto_seconds"], objectives["hold_seconds"], objectives["step_seconds"]) == (60.0, 2.5, 1.0)


@pytest.mark.parametrize("name", all_relations())
def test_every_relation_can_be_asked(asked_bundle: Path, name: str) -> None:
    """Each relation answers by its bare name, with unique columns of which none is called `…_us`."""
    with open_session(asked_bundle) as session:
        columns = session.ask(name).columns
    assert len(set(columns)) == len(columns)
    assert not [column for column in columns if column.endswith("_us")]


def test_relations_are_the_contract_names() -> None:
    """Evidence tables and queries stand under their own names, each with what it answers."""
    relations = all_relations()
    assert set(TABLES) | set(load_queries()) <= set(relations)
    assert all(relation.question for relation in relations.values())


def test_only_what_is_needed_is_computed(session: Session) -> None:
    """A question about commits computes neither fates nor lag."""
    session.ask("select * from final_commits")
    standing = {row[0] for row in session.engine.connection.sql("show tables").fetchall()}
    assert "final_commits" in standing
    assert not standing & {"fates", "ledger", "lag", "recovery"}


@pytest.mark.parametrize(
    "statement",
    [
        "select * from ledger",
        "SELECT * FROM Ledger",
        "from main.ledger",
        "with l as (select * from ledger) select * from l",
        "select (select count(*) from ledger) as n",
        "describe ledger",
        "summarize ledger",
        "explain select * from ledger",
        "explain analyze select * from ledger",
        "select * from ledger union all select * from ledger",
        "select * from acks join ledger using (cluster, topic, partition)",
    ],
)
def test_reading_is_understood(session: Session, statement: str) -> None:
    """Relations are found wherever a statement reads them, in any case, and under EXPLAIN, DESCRIBE and SUMMARIZE."""
    assert rows(session, statement)


def test_relations_are_listed(session: Session) -> None:
    """SHOW TABLES and `relations` list every relation with its question, though nothing was computed yet."""
    listed = rows(session, "show tables")
    assert listed == rows(session, CATALOG)
    assert {row["relation"] for row in listed} == set(all_relations())


WRITING = [
    "insert into acks select * from acks",
    "update acks set topic = 'x'",
    "delete from acks",
    "create table mine as select 1",
    "create view mine as select 1",
    "drop table acks",
    "copy acks to '{place}/out.csv'",
    "copy (select 1) to '{evidence}'",
    "with stolen as (copy acks to '{evidence}') from stolen",
    "with added as (insert into acks select * from acks returning *) from added",
    "explain analyze copy acks to '{place}/out.csv'",
    "attach '{place}/other.duckdb'",
    "export database '{place}'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset enable_external_access",
    "pragma enable_profiling",
    "call enable_logging()",
    "prepare p as select 1",
    "begin",
    "checkpoint",
    "vacuum",
    "use main",
]
READING_ELSEWHERE = [
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('{place}/secret.txt')",
    "select * from '{place}/secret.csv'",
    "select * from read_parquet('{evidence}')",
    "select * from glob('{place}/*')",
    "select * from read_text('https://example.invalid/x')",
    "select * from enable_logging(storage = 'file', storage_path = '{place}')",
    "select * from query('with s as (copy (select 1) to ''{place}/out.csv'') from s')",
]


@pytest.mark.parametrize("statement", WRITING)
def test_writing_is_refused(asked_bundle: Path, tmp_path: Path, statement: str) -> None:
    """Whatever would write, attach, install or change a setting is refused in one message that says what is allowed."""
    evidence = str(next(asked_bundle.glob("evidence/acks/*.parquet"))).replace("'", "''")
    before = tree_state(asked_bundle)
    with open_session(asked_bundle) as session, pytest.raises(QueryError, match=r"(?s)^refused: .*rto sql only reads"):
        session.ask(statement.format(place=tmp_path, evidence=evidence)).fetchall()
    assert tree_state(asked_bundle) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("statement", READING_ELSEWHERE)
def test_other_files_are_out_of_reach(asked_bundle: Path, tmp_path: Path, statement: str) -> None:
    """A statement that gets past its reading still finds no file, no network and no setting to change."""
    evidence = str(next(asked_bundle.glob("evidence/acks/*.parquet"))).replace("'", "''")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "secret.csv").write_text("secret\n1\n", encoding="utf-8")
    with open_session(asked_bundle) as session, pytest.raises(QueryError) as refusal:
        session.ask(statement.format(place=tmp_path, evidence=evidence)).fetchall()
    assert "\n" not in str(refusal.value)
    assert {path.name for path in tmp_path.iterdir()} == {"secret.txt", "secret.csv"}


@pytest.mark.parametrize("statement", WRITING)
def test_the_engine_itself_cannot_write(asked_bundle: Path, tmp_path: Path, statement: str) -> None:
    """Even without the reading of statements, the connection that answers leaves the bundle and the disk alone."""
    evidence = str(next(asked_bundle.glob("evidence/acks/*.parquet"))).replace("'", "''")
    before = tree_state(asked_bundle)
    with open_session(asked_bundle) as session:
        session.lay(["acks"])
        with suppress(duckdb.Error):
            session.connection.execute(statement.format(place=tmp_path, evidence=evidence)).fetchall()
    assert tree_state(asked_bundle) == before
    assert not list(tmp_path.iterdir())


def test_python_variables_are_out_of_reach(session: Session) -> None:
    """A name that is no relation is none, though a variable of that name exists."""
    secret = pl.DataFrame({"x": [1]})
    assert secret.height
    with pytest.raises(QueryError, match="no relation"):
        session.ask("select * from secret")


@pytest.mark.parametrize(("name", "offered"), [("ledgr", "ledger"), ("ACK", "acks"), ("zzz", None)])
def test_unknown_relations(session: Session, name: str, offered: str | None) -> None:
    """An unknown relation is refused with the nearest name, if one is near."""
    with pytest.raises(QueryError) as refusal:
        session.ask(f"select * from {name}")
    found = re.search(r'did you mean "(\w+)"', str(refusal.value))
    assert (found[1] if found else None) == offered


@pytest.mark.parametrize(
    "statement", ["selec 1", "select * from acks where", "select nope from acks", "select 1/ from acks"]
)
def test_errors_are_one_line(session: Session, statement: str) -> None:
    """What DuckDB refuses is one message without a traceback, and the session goes on."""
    with pytest.raises(QueryError):
        session.ask(statement)
    assert rows(session, "select 1 as one") == [{"one": 1}]


def test_results_agree_with_the_relations(asked_bundle: Path, session: Session) -> None:
    """The ledger asked in SQL is the ledger of results/."""
    copied = asked_bundle.parent / "copied"
    shutil.copytree(asked_bundle, copied, dirs_exist_ok=True)
    analyze_bundle(copied)
    written = pl.read_parquet(copied / "results" / "ledger.parquet", glob=False)
    assert written.to_dicts() == rows(session, "ledger")
    shutil.rmtree(copied)


def test_database(asked_bundle: Path, tmp_path: Path) -> None:
    """A DuckDB file holds every relation with instants as instants; it is never overwritten."""
    path = tmp_path / "it's.duckdb"
    assert write_database(asked_bundle, path) == len(all_relations())
    with duckdb.connect(str(path), read_only=True) as connection:
        assert {row[0] for row in connection.sql("show tables").fetchall()} == set(all_relations())
        assert connection.sql("select count(*), count(acked_at) from acks").fetchall() == [(3, 3)]
    with pytest.raises(UsageError, match="exists already"):
        write_database(asked_bundle, path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_database_where_nothing_may_be_written(asked_bundle: Path, tmp_path: Path) -> None:
    """A place that does not exist is refused, and nothing is left behind."""
    with pytest.raises(UsageError, match="cannot be written"):
        write_database(asked_bundle, tmp_path / "missing" / "x.duckdb")
    assert not list(tmp_path.iterdir())
