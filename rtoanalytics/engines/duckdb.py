"""Run the query chain on DuckDB, over the evidence of one bundle.

Every query becomes a relation of its own name: a table, or a view where it is as long as the evidence. Evidence
tables stand under their contract names, with each instant twice: `…_at` for people, `…_us` for queries.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb

from rtoanalytics.bundle import check_values, evidence_select, microseconds_name
from rtoanalytics.engines.constants import LARGE_ROWS, constant_columns
from rtoanalytics.engines.definition import SCHEMAS, definition_relations
from rtoanalytics.engines.limits import MORE_WANTED, NO_ROOM, ROOM_WANTED, TOO_LITTLE, set_limit
from rtoanalytics.engines.plan import (
    FUNCTIONS,
    MAX_STEPS,
    SCREEN,
    SUMMARIES,
    UNMERGED,
    VIEWS,
    WORD_OFFSETS,
    Progress,
    last_readers,
    lost_views,
)
from rtoanalytics.engines.scratch import scratch_folder
from rtoanalytics.errors import EvidenceError, Problem, QueryError
from rtoanalytics.queries import GRID, GRID_ENDS, Query, in_order, load_queries
from rtoanalytics.schemas import TABLES, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from rtoanalytics.bundle import Bundle
    from rtoanalytics.drill import Drill


_NAME = "duckdb"

_BODIES = {
    "word_of": "record_offset - record_offset % {word_offsets}",
    "offset_bit": "cast(1 as bigint) << cast(record_offset % {word_offsets} as integer)",
    # Hashed twice: the hash of two values at once is such that identities which changed places would cancel out.
    "identity_hash": "case when record_id is not null then"
    " cast(hash(xor(hash(record_id), cast(record_offset as ubigint))) >> 1 as bigint) end",
    "source_hash": "cast(hash(downstream, cluster, topic, partition) >> 1 as bigint)",
}


@dataclass(frozen=True)
class Engine:
    """An open connection with the relations of one bundle."""

    connection: duckdb.DuckDBPyConnection
    bundle: Bundle

    def arrow(self, relation: str) -> pa.Table:
        """A relation as an Arrow table in a total order: by every column, nulls first."""
        with _one_clear_message(relation):
            table: pa.Table = self.connection.sql(f'from "{relation}" order by all nulls first').to_arrow_table()
        return table

    def rows(self, relation: str) -> list[dict[str, Any]]:
        """A small relation as dictionaries, in the order of `arrow`."""
        return self.arrow(relation).to_pylist()


@contextmanager
def open_engine(
    bundle: Bundle,
    *,
    memory_limit: str | None = None,
    usual_memory: int | None = None,
    scratch: Path | None = None,
    scratch_limit: str | None = None,
    check: Callable[[duckdb.DuckDBPyConnection, Bundle], list[Problem]] = check_values,
    attend: Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Iterator[Engine]:
    """An engine on which evidence and the drill definition can be read, and no query has run yet.

    Every value of the evidence is checked first: EvidenceError tells all that are outside their domain, or whatever
    else `check` finds.

    `memory_limit` as DuckDB takes it ("4GB"); without one the engine takes `usual_memory` bytes, or what it takes by
    itself where that is less or none are given. What does not fit is spilled into a temporary folder below `scratch`
    (default: the system's), which is removed at the end and takes at most `scratch_limit` ("100GB").
    `attend` is entered as long as the connection is open: for who watches it, or ends it from another thread.
    """
    with scratch_folder(scratch) as folder:
        connection = duckdb.connect(":memory:", config={"temp_directory": folder, "preserve_insertion_order": False})
        try:
            with attend(connection):
                _prepare(connection)
                set_limit(connection, "memory_limit", memory_limit or _less(connection, usual_memory))
                set_limit(connection, "max_temp_directory_size", scratch_limit)
                _check(connection, bundle, check)
                yield _defined(connection, bundle)
        finally:
            connection.close()


@contextmanager
def open_recent_engine(bundle: Bundle, recent: Mapping[str, pa.Table]) -> Iterator[Engine]:
    """An engine over rows in memory, such as the last minutes of a capture; tables that `recent` lacks are empty.

    Rows have the types of the evidence schemas. Nothing is checked and nothing is spilled.
    """
    with duckdb.connect(":memory:", config={"preserve_insertion_order": False}) as connection:
        _prepare(connection)
        engine = Engine(connection, bundle)
        _lay_definition(engine, bundle.drill)
        for name, table in TABLES.items():
            connection.register("arriving", recent.get(name, table.arrow_schema.empty_table()))
            instants = [column.name for column in table.columns if column.kind is Kind.INSTANT]
            spelled = "".join(f", epoch_us({at}) as {microseconds_name(at)}" for at in instants)
            connection.execute(f'create table "{name}" as select distinct *{spelled} from arriving')
            connection.unregister("arriving")
        yield engine


def run_queries(
    engine: Engine,
    wanted: Iterable[str] | None = None,
    *,
    keep_long: bool = True,
    screen: bool = True,
    watch: Callable[[Progress], None] | None = None,
    lay: Callable[[duckdb.DuckDBPyConnection, Bundle, Query], bool] | None = None,
) -> None:
    """Run the chain: all of it, or what `wanted` needs. Relations that stand already are left alone.

    Without `keep_long`, tables with a row for every record are dropped as soon as no query needs them any more: for
    who reads only answers. Views over them cannot be read then. `watch` is told before each query and at the end.

    Without `screen`, every record is looked at one by one: slower, with the same answers. `lay` may create the table of
    a summary itself, and says whether it did (`Summaries.lay`).

    Raises EvidenceError when the capture spans more than MAX_STEPS steps, QueryError when a number outgrows its column.
    """
    queries = load_queries()
    standing = _relations(engine)
    order = in_order(queries, wanted)
    dropped_after = {} if keep_long else last_readers(order)
    passed_over = standing if keep_long else standing | lost_views(order)
    for done, query in enumerate(order):
        if query.name in passed_over:
            continue
        if watch:
            watch(Progress(query.name, done, len(order)))
        if not (lay and query.name in SUMMARIES and lay(engine.connection, engine.bundle, query)):
            _run(engine, query, is_empty=query.name == SCREEN and not screen)
        if query.name == GRID_ENDS:
            _lay_steps(engine)
        for name in dropped_after.get(query.name, ()):
            engine.connection.execute(f'drop table "{name}"')
    if watch:
        watch(Progress("", len(order), len(order)))


def run_again(engine: Engine, drill: Drill, names: Iterable[str]) -> None:
    """Judge another definition over the same evidence: lay its relations anew, and run exactly these queries again.

    `names` are tables that stand, and everything that reads them; what they read must stand too.
    """
    again = set(names)
    for query in in_order(load_queries()):
        if query.name in again:
            engine.connection.execute(f'drop table if exists "{query.name}"')
    _lay_definition(engine, drill)
    for query in in_order(load_queries()):
        if query.name in again:
            _run(engine, query)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set TimeZone = 'UTC'")
    define_functions(connection)


def define_functions(connection: duckdb.DuckDBPyConnection, *, word_offsets: int = WORD_OFFSETS) -> None:
    """Define what queries call beside the functions of SQL. No answer depends on `word_offsets` (1 to 63)."""
    for name, parameters in FUNCTIONS.items():
        body = _BODIES[name].format(word_offsets=word_offsets)
        connection.execute(f"create or replace macro {name}({', '.join(parameters)}) as ({body})")


def _check(
    connection: duckdb.DuckDBPyConnection,
    bundle: Bundle,
    check: Callable[[duckdb.DuckDBPyConnection, Bundle], list[Problem]],
) -> None:
    with _one_clear_message("the evidence"):
        problems = check(connection, bundle)
    if problems:
        raise EvidenceError(problems)


def _less(connection: duckdb.DuckDBPyConnection, usual: int | None) -> str | None:
    """A usual size where it is below the engine's own limit, which knows how much the machine has."""
    [(own,)] = connection.sql("select parse_formatted_bytes(current_setting('memory_limit'))").fetchall()
    return f"{usual}B" if usual is not None and usual < own else None


def _lay_definition(engine: Engine, drill: Drill) -> None:
    for name, table in definition_relations(drill).items():
        engine.connection.register("arriving", table)
        engine.connection.execute(f'create or replace table "{name}" as select * from arriving')
        engine.connection.unregister("arriving")


def _defined(connection: duckdb.DuckDBPyConnection, bundle: Bundle) -> Engine:
    """The engine of a bundle whose evidence and definition stand; of large tables it knows which columns never vary."""
    for name in TABLES:
        select = evidence_select(name, bundle.files.get(name, ()))
        kind, distinct = ("view", "") if name in UNMERGED else ("table", "distinct")
        with _one_clear_message(name):
            connection.execute(f'create {kind} "{name}" as select {distinct} * from ({select})')
    constants = {}
    for name in sorted(UNMERGED):
        if bundle.rows(name) < LARGE_ROWS:
            continue
        with _one_clear_message(name):
            constants[name] = constant_columns(connection, name)
            select = evidence_select(name, bundle.files[name], constants=constants[name])
            connection.execute(f'create or replace view "{name}" as {select}')
    engine = Engine(connection, replace(bundle, constants=constants))
    _lay_definition(engine, bundle.drill)
    return engine


def _relations(engine: Engine) -> set[str]:
    rows = engine.connection.sql(
        "select table_name from information_schema.tables where table_schema = 'main'"
    ).fetchall()
    return {str(row[0]) for row in rows}


def _run(engine: Engine, query: Query, *, is_empty: bool = False) -> None:
    kind = "view" if query.name in VIEWS else "table"
    answer = f"({query.sql_for(_NAME)})"
    filtered = f"select * from {answer} where false" if is_empty else answer
    with _one_clear_message(query.name):
        engine.connection.execute(f'create {kind} "{query.name}" as {filtered}')


def _lay_steps(engine: Engine) -> None:
    """The grid of M7: whole steps since the epoch, from the first to the last live evidence, both inclusive."""
    ends = engine.connection.sql("select first_us, last_us from capture_window").fetchall()
    (step_us,) = engine.connection.sql("select step_us from drill_objectives").fetchall()[0]
    first, last = (ends[0][0] + -ends[0][0] % step_us, ends[0][1]) if ends else (0, -1)
    count = max(0, (last - first) // step_us + 1)
    if count > MAX_STEPS:
        raise EvidenceError([_too_many_steps(engine, count)])
    engine.connection.execute(
        f"create table {GRID} as select $first + number * $step_us as step_us from range($count) as numbers(number)",
        {"first": first, "step_us": step_us, "count": count},
    )


def _too_many_steps(engine: Engine, count: int) -> Problem:
    extents = engine.connection.sql(
        "select table_name, make_timestamp(first_us), make_timestamp(last_us) from table_extents"
        " where is_live order by first_us, table_name"
    ).fetchall()
    spans = "; ".join(f"{name} from {first} to {last}" for name, first, last in extents)
    return Problem(
        "evidence",
        f"the capture spans {count:,} steps ({spans})",
        f"at most {MAX_STEPS:,}; remove instants that do not belong to the drill, or set a longer step_seconds",
    )


@contextmanager
def _one_clear_message(relation: str) -> Iterator[None]:
    try:
        yield
    except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
        msg = f"{relation}: a number outgrows its column ({_first_line(error)}); look for offsets near 2^63"
        raise QueryError(msg) from None
    except duckdb.OutOfMemoryException as error:
        msg = f"{relation}: {TOO_LITTLE} ({_first_line(error)}); {MORE_WANTED}"
        raise QueryError(msg) from None
    except duckdb.IOException as error:
        msg = f"{relation}: {NO_ROOM} ({_first_line(error)}); {ROOM_WANTED}"
        raise QueryError(msg) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


DEFINITION_RELATIONS = tuple(SCHEMAS)
"""Names of the relations that hold the drill definition."""
