"""Effects in a real PostgreSQL: each once, whatever order its writers commit in and whatever happens to it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import ClusterError, UsageError
from rtoanalytics_collectors.applied.adbc import AdbcApplied, Source
from rtoanalytics_collectors.applied.layout import Layout
from rtoanalytics_collectors.clocks import UNMEASURED, now_us
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lab.databases import Database

    Collecting = Callable[..., AdbcApplied]

COLUMNS = {"record_id": "payment_id", "applied_at": "applied_at"}
PAYMENTS = """create table payments (
    id bigserial primary key, payment_id text, __connect_topic text, __connect_partition int,
    __connect_offset bigint, applied_at timestamptz not null default clock_timestamp())"""
INSERT = """insert into payments (payment_id, __connect_topic, __connect_partition, __connect_offset)
    select 'p' || n, 'payments', n % 3, n from generate_series({}, {}) as n"""


@pytest.fixture
def payments(database: Database) -> Database:
    """A database with an empty table of payments."""
    database.execute(PAYMENTS)
    return database


@pytest.fixture
def collecting() -> Iterator[Collecting]:
    """Makes collectors of the table payments, and closes them."""
    made: list[AdbcApplied] = []

    def make(database: Database, **options: Any) -> AdbcApplied:  # noqa: ANN401  (arguments of the collector)
        source = options.pop("source", Source(order="id", table="payments"))
        layout = options.pop("layout", Layout(COLUMNS, {"cluster": "primary"}))
        made.append(AdbcApplied("db", options.pop("uri", database.uri), source, layout, **options))
        return made[-1]

    yield make
    for collector in made:
        collector.close()


def offsets(collector: AdbcApplied) -> list[int]:
    """Source offsets of one look."""
    return [row["record_offset"] for row in collector.collect()["applied"]]


def test_each_effect_is_read_once_with_its_place_in_kafka(payments: Database, collecting: Collecting) -> None:
    """Columns that Kafka Connect fills are known by name; the key of the row is the application_id."""
    before = now_us()
    payments.execute(INSERT.format(5, 6))
    applied = collecting(payments)
    first, second = applied.collect()["applied"]
    assert before - 1_000_000 < first.pop("applied_at") <= second["applied_at"] < now_us() + 1_000_000
    assert first == {
        "downstream": "db",
        "cluster": "primary",
        "topic": "payments",
        "partition": 2,
        "record_offset": 5,
        "record_id": "p5",
        "ordinal": None,
        "application_id": "1",
    }
    assert offsets(applied) == []
    payments.execute(INSERT.format(7, 7))
    assert offsets(applied) == [7]


def test_a_writer_that_commits_late_is_not_missed(payments: Database, collecting: Collecting) -> None:
    """A lower number that becomes visible after a higher one is read, and nothing is read twice.

    Without a window that is always read again: only what PostgreSQL says of its open writers.
    """
    applied = collecting(payments, overlap=0)
    payments.execute(INSERT.format(0, 9))
    assert offsets(applied) == list(range(10))
    with payments.server.connect(payments.name, autocommit=False) as late, late.cursor() as cursor:
        cursor.execute(INSERT.format(100, 102))
        payments.execute(INSERT.format(10, 19))
        assert offsets(applied) == list(range(10, 20))
        payments.execute(INSERT.format(20, 29))
        assert offsets(applied) == list(range(20, 30))
        late.commit()
    assert offsets(applied) == [100, 101, 102]
    assert offsets(applied) == []


def test_a_writer_open_at_the_first_look_is_not_missed(payments: Database, collecting: Collecting) -> None:
    """What a transaction wrote before the capture began, and committed after, is read."""
    applied = collecting(payments, overlap=0)
    with payments.server.connect(payments.name, autocommit=False) as late, late.cursor() as cursor:
        cursor.execute(INSERT.format(1, 1))
        payments.execute(INSERT.format(2, 2))
        assert offsets(applied) == [2]
        late.commit()
    assert offsets(applied) == [1]


def test_many_writers_commit_out_of_order(payments: Database, collecting: Collecting) -> None:
    """Two concurrent sessions that hold their transactions open in turn: nothing is missed and nothing comes twice."""
    applied, seen, writers = collecting(payments), [], 2

    def write(writer: int) -> None:
        with payments.server.connect(payments.name, autocommit=False) as connection, connection.cursor() as cursor:
            for transaction in range(40):
                for row in range(5):
                    number = writer * 1_000 + transaction * 5 + row
                    cursor.execute(INSERT.format(number, number))
                connection.commit()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen += offsets(applied)
    seen += offsets(applied)
    assert sorted(seen) == [writer * 1_000 + number for writer in range(writers) for number in range(200)]


def test_a_database_that_restarts_is_a_hole_not_a_loss(payments: Database, collecting: Collecting) -> None:
    """While the server is down a look is refused; afterwards it has everything since, once."""
    applied = collecting(payments)
    payments.execute(INSERT.format(0, 4))
    assert offsets(applied) == [0, 1, 2, 3, 4]
    payments.server.kill()
    for _ in range(2):
        with pytest.raises(TransientError, match='downstream "db": payments cannot be read'):
            applied.collect()
    assert applied.reading() == UNMEASURED
    payments.server.start()
    payments.execute(INSERT.format(5, 6))
    assert offsets(applied) == [5, 6]


def test_capture_goes_on_behind_what_is_captured(payments: Database, collecting: Collecting) -> None:
    """A new process leaves out what an earlier one has captured, also where a lower number appeared meanwhile."""
    payments.execute(INSERT.format(0, 9))
    with payments.server.connect(payments.name, autocommit=False) as late, late.cursor() as cursor:
        cursor.execute(INSERT.format(50, 50))
        payments.execute(INSERT.format(10, 11))
        captured = collecting(payments).collect()["applied"]
        late.commit()
    payments.execute(INSERT.format(60, 60))
    resumed = collecting(payments)
    resumed.resume([*captured, {"downstream": "other", "application_id": "11"}])
    assert sorted(offsets(resumed)) == [50, 60]
    assert offsets(resumed) == []


def test_a_wrong_password_is_said_without_it(payments: Database, collecting: Collecting) -> None:
    """A refused connection says who and where, and never the password, however the URI carries it."""
    right = payments.server.password
    for uri in (
        payments.server.uri_of(payments.name, "s3cr%40t"),
        payments.uri.replace(f":{right}", "") + "?password=s3cr%40t",
        payments.uri.replace(right, "s3cr%40t").replace("127.0.0.1:", "127.0.0.1:x"),
        f"host=127.0.0.1 port={payments.server.port} user=lab dbname={payments.name} password='s3cr@t",
    ):
        with pytest.raises(TransientError) as refused:
            collecting(payments, uri=uri).collect()
        assert "s3cr" not in str(refused.value)
        assert 'downstream "db"' in str(refused.value)


def test_what_is_not_there_is_named_with_what_is(payments: Database, collecting: Collecting) -> None:
    """A missing column, order or instant is refused with what the database has; a missing table is waited for."""
    for options, message in (
        ({"source": Source(order="no", table="payments")}, r'has no column "no" to read it in the order of; it has id'),
        ({"source": Source(order="payment_id", table="payments")}, "must be a whole number or a timestamp"),
        ({"source": Source(order="applied_at", table="payments")}, "map application_id to a column"),
        ({"layout": Layout({"applied_at": "aplied_at"})}, r'no column "aplied_at" \(did you mean "applied_at"\?\)'),
        ({"layout": Layout({"record_id": "payment_id"})}, "nothing that tells when"),
    ):
        with pytest.raises(ClusterError, match=message) as refused:
            collecting(payments, **options).collect()
        assert not isinstance(refused.value, TransientError)
    for source, message in (
        (Source(order="id", table="payment"), r'"payment" does not exist.*Tables there: public\.payments'),
        (Source(order="id", query="select id from nowhere"), '"nowhere" does not exist'),
    ):
        with pytest.raises(TransientError, match=message):  # a sink may make its table with its first record
            collecting(payments, source=source).collect()
    payments.execute("alter table payments rename to was_payments")
    payments.execute(PAYMENTS.replace("bigserial primary key", "bigint"))
    assert offsets(collecting(payments)) == []


def test_a_source_is_a_table_or_a_query() -> None:
    """Both or none is refused, and so is a column that evidence does not have."""
    for options in ({}, {"table": "t", "query": "select 1"}):
        with pytest.raises(UsageError, match="a table or by a query"):
            Source(order="id", **options)
    with pytest.raises(UsageError, match=r'"offset" is no column of applied \(did you mean "record_offset"\?\)'):
        Layout({"offset": "o"})
    with pytest.raises(UsageError, match="no ADBC driver is installed as"):
        AdbcApplied("db", "x", Source(order="id", table="t"), Layout(), driver="adbc_driver_nowhere")


def test_a_query_in_the_names_of_the_evidence(payments: Database, collecting: Collecting) -> None:
    """A query may give every column its name, filter, and change types: identifiers and numerics come out as text."""
    payments.execute(INSERT.format(0, 9))
    query = """select id, 'primary' as cluster, __connect_offset::numeric as record_offset, payment_id as record_id,
        md5(id::text)::uuid as application_id, 1 as ordinal, applied_at from payments where id > 3;"""
    applied = collecting(payments, source=Source(order="id", query=query), layout=Layout())
    rows = applied.collect()["applied"]
    assert [row["record_offset"] for row in rows] == list(range(3, 10))
    assert {row["ordinal"] for row in rows} == {1}
    assert rows[0]["application_id"] == "a87ff679-a2f3-e71d-9181-a67b7542122c"
    assert rows[0]["topic"] is None


def test_timestamps_without_a_zone_are_refused_unless_they_mean_utc(payments: Database, collecting: Collecting) -> None:
    """The zone is never guessed; said to be UTC, the instant is the one written."""
    payments.execute(INSERT.format(0, 0))
    payments.execute("alter table payments alter applied_at type timestamp using '2026-11-23 10:00:00.000001'")
    with pytest.raises(ClusterError, match="say instants: utc"):
        collecting(payments).collect()
    [row] = collecting(payments, layout=Layout(COLUMNS, instants="utc")).collect()["applied"]
    assert row["applied_at"] == 1_795_428_000_000_001


def test_a_locked_table_is_an_answer_for_later(payments: Database, collecting: Collecting) -> None:
    """A session that holds the table does not hold the collector; afterwards everything is there."""
    applied = collecting(payments)
    payments.execute(INSERT.format(0, 0))
    with payments.server.connect(payments.name, autocommit=False) as locker, locker.cursor() as cursor:
        cursor.execute("lock table payments in access exclusive mode")
        with pytest.raises(TransientError, match="lock timeout"):
            applied.collect()
        locker.rollback()
    assert offsets(applied) == [0]


def test_the_collector_cannot_write(payments: Database, collecting: Collecting) -> None:
    """A query with an effect of its own is refused by the database."""
    payments.execute(
        "create function pay() returns bigint language sql as 'insert into payments (id) values (99) returning id'"
    )
    query = "select pay() as id, now() as applied_at"
    with pytest.raises(ClusterError, match="read-only transaction"):
        collecting(payments, source=Source(order="id", query=query), layout=Layout()).collect()
    assert payments.rows("select count(*) from payments") == [(0,)]


def test_a_table_made_anew_is_not_taken_for_the_old_one(payments: Database, collecting: Collecting) -> None:
    """Numbers that begin again would name other effects: the capture says so instead of mixing them."""
    applied = collecting(payments, overlap=0)
    payments.execute(INSERT.format(0, 9))
    assert len(offsets(applied)) == 10
    payments.execute("truncate payments restart identity")
    assert offsets(applied) == []
    payments.execute(INSERT.format(20, 21))
    with pytest.raises(ClusterError, match='the highest "id" is 2, it was 10'):
        applied.collect()


def test_the_clock_of_the_database_is_compared(payments: Database, collecting: Collecting) -> None:
    """On one host the offset is zero within the error on record."""
    applied = collecting(payments)
    assert applied.reading() == UNMEASURED
    applied.collect()
    reading = applied.reading()
    assert reading.offset_ms is not None
    assert reading.error_ms is not None
    assert abs(reading.offset_ms) <= reading.error_ms < 1_000


def test_another_driver(tmp_path: Path) -> None:
    """Any ADBC driver does: here SQLite, whose instants are integers."""
    pytest.importorskip("adbc_driver_sqlite")
    path = tmp_path / "d.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table t (id integer primary key, at integer)")
        database.execute("insert into t values (1, 1000), (2, 2000)")
    layout = Layout({"applied_at": "at"}, instants="ms")
    applied = AdbcApplied("db", str(path), Source(order="id", table="t"), layout, driver="adbc_driver_sqlite")
    assert [(row["application_id"], row["applied_at"]) for row in applied.collect()["applied"]] == [
        ("1", 1_000_000),
        ("2", 2_000_000),
    ]
    assert applied.collect() == {"applied": []}
    applied.close()


LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("create table t (id integer primary key, at integer)")
database.execute("begin exclusive")
database.execute("insert into t values (1, 1000)")
print("locked", flush=True)
sys.stdin.read()
database.execute("commit")
"""
"""A writer in a process of its own: locks of a file do not hold within one process."""


def test_a_locked_file_is_an_answer_for_later(tmp_path: Path) -> None:
    """SQLite keeps readers out while its writer makes the table: the collector is not ended by its first look."""
    pytest.importorskip("adbc_driver_sqlite")
    path = tmp_path / "d.sqlite"
    layout = Layout({"applied_at": "at"}, instants="ms")
    applied = AdbcApplied("db", str(path), Source(order="id", table="t"), layout, driver="adbc_driver_sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"locked\n"
        with pytest.raises(TransientError, match="database is locked"):
            applied.collect()
        writer.stdin.close()
    assert [row["application_id"] for row in applied.collect()["applied"]] == ["1"]
    applied.close()
