"""Ask a bundle in SQL: every relation under its name, computed when a statement needs it, and nothing can be written.

Two engines that share nothing: one reads the bundle and runs the query chain, the other answers statements. Relations
are copied from the first to the second, which has no access to files, so that even a statement that slips through the
reading of it finds nothing to write to.
"""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from rtoanalytics.bundle import open_bundle
from rtoanalytics.bundle.sql import quoted, text_literal
from rtoanalytics.engines.definition import SCHEMAS
from rtoanalytics.engines.duckdb import Engine, open_engine, run_queries
from rtoanalytics.errors import QueryError, RtoError, UsageError, nearest
from rtoanalytics.queries import GRID, GRID_ENDS, in_order, load_queries
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CATALOG = "relations"
"""The relation that lists every relation with the question it answers."""
_AS_CAPTURED = frozenset({"applied"})  # rows captured twice may be two effects there; application_id tells
_READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_EXPLAIN = re.compile(r"^\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)
_SHOW_TABLES = re.compile(r"^\s*show\s+(all\s+)?tables\s*;?\s*$", re.IGNORECASE)
_NO_SUCH_TABLE = re.compile(r"Table with name \"?(.+?)\"? does not exist")
_KIND = re.compile(r"^[A-Z][\w ]* Error: ")
_DURATION = re.compile(r", microseconds\b(?! since)")
_LOCKS = (
    "enable_external_access = false",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "python_enable_replacements = false",
    "lock_configuration = true",
)
"""In this order: the last one makes the others final."""


class Relation(NamedTuple):
    """One relation of a bundle."""

    name: str
    kind: str
    """evidence, definition or query."""
    question: str
    select: str
    """What makes it, for people: instants as `…_at`, durations as `…_seconds`."""


@dataclass
class Session:
    """An open session on one bundle. Statements see the relations they name and nothing else."""

    engine: Engine
    connection: duckdb.DuckDBPyConnection
    relations: dict[str, Relation]
    _laid: set[str] = field(default_factory=lambda: {CATALOG})

    def statements(self, text: str) -> list[str]:
        """The statements in a text, in order. Raises QueryError where it is not SQL."""
        with one_clear_message(self.relations):
            return [statement.query.strip() for statement in self.connection.extract_statements(text)]

    def ask(self, statement: str) -> duckdb.DuckDBPyRelation:
        """The answer to one statement, not yet fetched; a bare relation name asks for all of it in a total order.

        Raises QueryError for anything but reading, for unknown names, and for what DuckDB refuses.
        """
        with one_clear_message(self.relations):
            text = self._spelled_out(statement)
            tree = self._tree(text)
            refuse_writing(tree)
            self.lay(name for name in table_names(tree) if name in self.relations)
            return self.connection.sql(text)

    def lay(self, names: Iterable[str]) -> None:
        """Compute relations and copy them over. Those that stand already are left alone."""
        for name in sorted(set(names) - self._laid):
            self._lay(self.relations[name])
            self._laid.add(name)

    def _lay(self, relation: Relation) -> None:
        compute(self.engine, [relation.name])
        reader = self.engine.connection.sql(relation.select).to_arrow_reader(100_000)
        self.connection.register("arriving", reader)
        self.connection.execute(f"create table {quoted(relation.name)} as select * from arriving")
        self.connection.unregister("arriving")

    def _spelled_out(self, statement: str) -> str:
        name = statement.strip().removesuffix(";").strip().lower()
        if name == CATALOG or _SHOW_TABLES.match(statement):
            return f"from {CATALOG}"
        return f"from {quoted(name)} order by all nulls first" if name in self.relations else statement

    def _tree(self, statement: str) -> dict[str, Any]:
        """The statement as DuckDB reads it; of an EXPLAIN, what is explained."""
        found = self.connection.extract_statements(statement)
        kind = found[0].type.name if len(found) == 1 else "several statements"
        reading = _EXPLAIN.sub("", statement) if kind == "EXPLAIN" else statement
        rows = self.connection.sql("select json_serialize_sql($text)", params={"text": reading}).fetchall()
        tree: dict[str, Any] = json.loads(rows[0][0])
        if kind not in {"SELECT", "EXPLAIN"} or tree["error"]:
            raise QueryError(_only_reading(kind))
        return tree


@contextmanager
def open_session(root: Path, *, memory_limit: str | None = None, scratch: Path | None = None) -> Iterator[Session]:
    """A session on the bundle in a folder. Raises DrillError or EvidenceError where it is none.

    `memory_limit` and `scratch` are those of `open_engine`; each of the two engines keeps to them.
    """
    bundle = open_bundle(root)
    with (
        open_engine(bundle, memory_limit=memory_limit, scratch=scratch) as engine,
        tempfile.TemporaryDirectory(prefix="rtoanalytics-", dir=scratch) as folder,
        duckdb.connect(":memory:", config={"temp_directory": folder}) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        relations = all_relations()
        _lay_catalog(connection, relations)
        for lock in _LOCKS:
            connection.execute(f"set {lock}")
        yield Session(engine, connection, relations)


def all_relations() -> dict[str, Relation]:
    """Every relation by name: evidence, the definition, then queries, each below what it reads."""
    evidence = [
        Relation(table.name, "evidence", f"One row is {table.grain}.", _evidence_select(table.name))
        for table in TABLES.values()
    ]
    definition = [
        Relation(name, "definition", _definition_question(name), _select(name, schema.names, frozenset(schema.names)))
        for name, schema in SCHEMAS.items()
    ]
    grid = Relation(
        GRID, "definition", "The instants at which lag and recovery are computed.", _select(GRID, ["step_us"])
    )
    queries = [
        Relation(
            query.name,
            "query",
            query.question,
            _select(
                query.name,
                [column.name for column in query.returns],
                frozenset(column.name for column in query.returns if _DURATION.search(column.meaning)),
            ),
        )
        for query in in_order(load_queries())
    ]
    return {relation.name: relation for relation in (*evidence, *definition, grid, *queries)}


def compute(engine: Engine, names: Iterable[str]) -> None:
    """Run what the query chain needs for relations; evidence and definition stand already."""
    wanted = [GRID_ENDS if name == GRID else name for name in names]
    run_queries(engine, wanted)


def write_database(root: Path, path: Path, *, memory_limit: str | None = None, scratch: Path | None = None) -> int:
    """Write every relation of a bundle into a new DuckDB file, whole or not at all, and return how many there are.

    Raises UsageError where the file exists or cannot be written.
    """
    if path.exists():
        msg = f"{path} exists already; rto sql overwrites no database: name another file"
        raise UsageError(msg)
    building = path.with_name(f".{path.name}.tmp")
    with open_engine(open_bundle(root), memory_limit=memory_limit, scratch=scratch) as engine:
        relations = all_relations()
        compute(engine, relations)
        try:
            _copy_all(engine, relations, building)
            building.rename(path)
        except (OSError, duckdb.IOException) as error:
            msg = f"{path}: cannot be written ({str(error).splitlines()[0]})"
            raise UsageError(msg) from None
        finally:
            building.unlink(missing_ok=True)
    return len(relations)


def refuse_writing(tree: dict[str, Any]) -> None:
    """Raise QueryError where a WITH holds anything but a query: DuckDB takes INSERT and COPY there."""
    for node in _nodes(tree):
        if "cte_map" in node and node["type"] not in _READING_NODES:
            raise QueryError(_only_reading(node["type"].removesuffix("_QUERY_NODE")))


def table_names(tree: dict[str, Any]) -> set[str]:
    """Names of the relations a statement reads, in lower case, those of its own WITH included."""
    return {
        node["table_name"].lower()
        for node in _nodes(tree)
        if node.get("type") == "BASE_TABLE" and node.get("schema_name") in {"", "main"}
    }


@contextmanager
def one_clear_message(names: Iterable[str]) -> Iterator[None]:
    """Turn what DuckDB refuses into a QueryError; `names` are offered where a relation is not known."""
    try:
        yield
    except RtoError:
        raise
    except duckdb.PermissionException as error:
        msg = f"refused: {_said(error)}; a statement reads the relations of this bundle and nothing else"
        raise QueryError(msg) from None
    except duckdb.Error as error:
        unknown = _NO_SUCH_TABLE.search(str(error))
        if unknown:
            offered = nearest(unknown[1].lower(), names)
            msg = f'no relation "{unknown[1]}"{offered}; rto sql BUNDLE --tables lists them all'
            raise QueryError(msg) from None
        raise QueryError(_said(error)) from None


def _definition_question(name: str) -> str:
    if name == "table_names":
        return "Which name of a collector stands for which table?"
    return f"What does drill.yaml say: {name.removeprefix('drill_').replace('_', ' ')}?"


def _evidence_select(name: str) -> str:
    """Evidence for people: rows captured twice counted once."""
    columns = ", ".join(quoted(column.name) for column in TABLES[name].columns)
    return f"select {'' if name in _AS_CAPTURED else 'distinct '}{columns} from {quoted(name)}"


def _select(name: str, columns: Iterable[str], durations: frozenset[str] = frozenset()) -> str:
    """A relation for people. Of its `…_us` columns, `durations` become seconds, the others instants."""
    return f"select {', '.join(_shown(column, durations) for column in columns)} from {quoted(name)}"


def _shown(column: str, durations: frozenset[str]) -> str:
    stem = column.removesuffix("_us")
    if stem == column:
        return quoted(column)
    if column in durations:
        return f"cast({quoted(column)} as double) / 1000000 as {quoted(stem + '_seconds')}"
    return f"cast(make_timestamp({quoted(column)}) as timestamptz) as {quoted(stem + '_at')}"


def _lay_catalog(connection: duckdb.DuckDBPyConnection, relations: dict[str, Relation]) -> None:
    connection.execute(f"create table {CATALOG} (relation varchar, kind varchar, question varchar)")
    connection.executemany(f"insert into {CATALOG} values (?, ?, ?)", [relation[:3] for relation in relations.values()])


def _copy_all(engine: Engine, relations: dict[str, Relation], path: Path) -> None:
    path.unlink(missing_ok=True)
    engine.connection.execute(f"attach {text_literal(str(path))} as copied")
    try:
        for relation in relations.values():
            engine.connection.execute(
                f"create table copied.main.{quoted(relation.name)} as {relation.select} order by all nulls first"
            )
    finally:
        with suppress(duckdb.Error):
            engine.connection.execute("detach copied")


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _only_reading(found: str) -> str:
    return (
        f"refused: {found.replace('_', ' ')}; rto sql only reads: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, "
        "SHOW TABLES and EXPLAIN. --output FILE writes an answer, --database FILE a copy of every relation"
    )


def _said(error: Exception) -> str:
    """DuckDB's message on one line, without its advice about tables of its own."""
    lines = [line.strip() for line in _KIND.sub("", str(error)).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(("Did you mean", "^")))
