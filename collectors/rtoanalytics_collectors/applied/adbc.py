"""Applied: the effects in a database, through its ADBC driver; PostgreSQL unless another driver is named.

Each effect is read once. Every look is one transaction that can only read and is rolled back. What a look has read
counts as read when the look has succeeded as a whole; a look that fails is made again from where it began.
"""

from __future__ import annotations

import importlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.errors import ClusterError, MissingDependencyError, UsageError
from rtoanalytics_collectors.applied.horizon import Horizon, Order
from rtoanalytics_collectors.applied.layout import Layout, rows_of, with_values
from rtoanalytics_collectors.applied.postgresql import ServerClock, begin, connection_uri, scrubbed
from rtoanalytics_collectors.applied.seen import SeenEffects, captured_effects
from rtoanalytics_collectors.failures import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rtoanalytics_collectors.clocks import ClockReading
    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row

POSTGRESQL = "adbc_driver_postgresql"
_OVERLAP_VALUES = 10_000
_OVERLAP_SECONDS = 60.0
_SYNTAX_OR_ACCESS = "42"
_UNDEFINED_TABLE = "42P01"
_FINAL = (_SYNTAX_OR_ACCESS, "0A", "22", "25", "3F")
"""Classes of SQLSTATE that another try does not change: syntax, names and rights, types, a transaction that reads."""


@dataclass(frozen=True)
class Source:
    """What is read of a database: a table, or a query whose columns have names. Raises UsageError for both or none."""

    order: str
    """A column that only grows: a whole number or a timestamp."""
    table: str | None = None
    """Name of a table, with its schema before a dot where it needs one."""
    query: str | None = None
    """One select statement; also the way to leave out what a large table held before the drill."""

    def __post_init__(self) -> None:
        if (self.table is None) == (self.query is None):
            msg = "a downstream in a database is read from a table or by a query: name one of the two"
            raise UsageError(msg)

    @property
    def relation(self) -> str:
        """What stands behind `from`."""
        if self.table is not None:
            return ".".join(_quoted(part) for part in self.table.split("."))
        return f"({str(self.query).strip().rstrip(';')}) as effects"


class AdbcApplied:
    """Effects of one downstream, each read once. Not thread-safe."""

    tables = ("applied",)
    is_continuous = True

    def __init__(
        self,
        downstream: str,
        uri: str,
        source: Source,
        layout: Layout,
        *,
        overlap: float | None = None,
        driver: str = POSTGRESQL,
    ) -> None:
        """Nothing is asked of the database yet.

        `overlap` is how far below the highest value of `source.order` every look reads again, in values of a number
        or seconds of a timestamp; default: 10,000 values or 60 s in PostgreSQL, none elsewhere. `driver` names the
        driver's Python module.
        """
        self.target = downstream
        self._uri = uri
        self._source = source
        self._layout = layout
        self._overlap = overlap
        self._is_postgresql = driver.split(".", maxsplit=1)[0] == POSTGRESQL
        self._driver = _driver(driver)
        self._server_clock = ServerClock()
        self._horizon = Horizon()
        self._seen = SeenEffects()
        self._connection: Any = None
        self._found: dict[str, str] = {}

    def reading(self) -> ClockReading:
        """This host's clock minus the database's; unmeasured where the database is not PostgreSQL."""
        return self._server_clock.best()

    def resume(self, captured: Iterable[Row]) -> None:
        """Leave out effects that are captured already; the first look reads everything once more."""
        self._seen.remember(captured_effects(captured, self.target))

    def collect(self) -> Sample:
        """Read what is new.

        Raises TransientError when the database does not answer or the table is not there yet, ClusterError when it
        has no such column or refuses us.
        """
        with self._transaction() as (cursor, open_transactions):
            rows, highest = self._read(cursor, self._horizon.lowest(open_transactions))
        self._seen.remember(row["application_id"] for row in rows)
        self._horizon.saw(highest, open_transactions)
        return {"applied": rows}

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        self._found = {}
        self._server_clock.forget()
        if connection is not None:
            with suppress(Exception):  # nothing is lost with it: it has only read
                connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Any, frozenset[int]]]:
        """A cursor in a transaction that can only read, and the writers that are open as it begins."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.cursor() as cursor:
                yield cursor, begin(cursor, self._server_clock) if self._is_postgresql else frozenset()
            self._connection.rollback()
        except ClusterError:
            self.close()
            raise
        except (self._driver.Error, pa.ArrowException, OSError) as error:
            refusal = self._refusal(error)
            self.close()
            raise refusal from None

    def _connect(self) -> Any:  # noqa: ANN401  (a DB-API connection, whichever driver)
        return self._driver.connect(connection_uri(self._uri) if self._is_postgresql else self._uri)

    def _read(self, cursor: Any, lowest: Order | None) -> tuple[list[Row], Order | None]:  # noqa: ANN401
        """New effects from `lowest` on, and the highest value of the order column there is."""
        self._found = self._found or self._inspect(cursor)
        cursor.execute(self._statement(lowest))
        rows: list[Row] = []
        highest: list[Order] = []
        fresh: dict[str, None] = {}
        for batch in cursor.fetch_record_batch():
            effects = pa.Table.from_batches([batch])
            rows += rows_of(self._seen.only_new(self._evidence(effects), fresh))
            highest += [value for value in [pc.max(effects.column(self._source.order)).as_py()] if value is not None]
        if lowest is not None and not highest:
            self._refuse_to_go_back(cursor, lowest)
        return rows, max(highest, default=None)

    def _inspect(self, cursor: Any) -> dict[str, str]:  # noqa: ANN401
        """Which column holds what; also sets the overlap, which depends on the kind of the order column."""
        cursor.execute(f"select * from {self._source.relation} limit 0")  # noqa: S608  (names are quoted)
        schema = cursor.fetch_arrow_table().schema
        found = self._layout.found_in(schema.names, self._where)
        self._check_order(schema, found)
        if self._overlap is not None:
            self._horizon.overlap = self._overlap
        elif self._is_postgresql:
            is_number = pa.types.is_integer(schema.field(self._source.order).type)
            self._horizon.overlap = _OVERLAP_VALUES if is_number else _OVERLAP_SECONDS
        return found

    def _check_order(self, schema: pa.Schema, found: dict[str, str]) -> None:
        order = self._source.order
        if order not in schema.names:
            msg = f'{self._where} has no column "{order}" to read it in the order of; it has {", ".join(schema.names)}'
            raise ClusterError(msg)
        kind = schema.field(order).type
        if not pa.types.is_integer(kind) and not pa.types.is_timestamp(kind):
            msg = f'{self._where}: column "{order}" is {kind}; order must be a whole number or a timestamp that grows'
            raise ClusterError(msg)
        if pa.types.is_timestamp(kind) and "application_id" not in found:
            msg = (
                f'{self._where}: column "{order}" is a timestamp, and several effects may share one: map '
                f"application_id to a column that identifies the effect; it has {', '.join(schema.names)}"
            )
            raise ClusterError(msg)

    def _statement(self, lowest: Order | None) -> str:
        names = dict.fromkeys([*self._found.values(), self._source.order])
        columns = ", ".join(_quoted(name) for name in names)
        again = "" if lowest is None else f" where {_quoted(self._source.order)} >= {_literal(lowest)}"
        return f"select {columns} from {self._source.relation}{again}"  # noqa: S608  (names are quoted)

    def _evidence(self, effects: pa.Table) -> pa.Table:
        applied = self._layout.evidence(effects, self._found, self._where)
        if "application_id" not in self._found:
            numbers = effects.column(self._source.order).cast(pa.string())
            applied = with_values(applied, application_id=numbers)
        elif nulls := applied.column("application_id").null_count:
            name = self._found["application_id"]
            msg = f'{self._where}: column "{name}" is null in {nulls} effects; it must identify each'
            raise ClusterError(msg)
        return with_values(applied, downstream=self.target)

    def _refuse_to_go_back(self, cursor: Any, lowest: Order) -> None:  # noqa: ANN401
        """Raise ClusterError for a table that was made anew: its numbers would name other effects than before."""
        order = _quoted(self._source.order)
        cursor.execute(f"select max({order}) from {self._source.relation}")  # noqa: S608  (names are quoted)
        [[highest]] = cursor.fetchall()
        if highest is not None and highest < lowest:
            msg = (
                f'{self._where}: the highest "{self._source.order}" is {highest}, it was {self._horizon.last}. Rows '
                "were deleted, or the table was made anew; its new effects cannot be told from the old ones. Capture "
                "it as another downstream, or map application_id to a column that stays unique"
            )
            raise ClusterError(msg)

    @property
    def _where(self) -> str:
        return f'downstream "{self.target}": {self._source.table or "the query"}'

    def _refusal(self, error: Exception) -> ClusterError:
        text = " ".join(scrubbed(str(error), self._uri).split())
        if self._connection is not None and isinstance(error, self._driver.ProgrammingError) and _is_final(error):
            failure = TransientError if _is_absent(error) else ClusterError
            return failure(f"{self._where} cannot be read: {text}.{self._existing_tables()}")
        return TransientError(f"{self._where} cannot be read: {text}")

    def _existing_tables(self) -> str:
        """What there is instead, as far as the database tells."""
        with suppress(Exception):  # the message is about another error
            self._connection.rollback()
            names = [*_tables(self._connection.adbc_get_objects(depth="tables").read_all().to_pylist())]
            return f" Tables there: {', '.join(sorted(names)) or 'none'}"
        return ""


def _is_final(error: Exception) -> bool:
    """Whether asking again is no use: PostgreSQL also calls a lock that it waited for in vain an invalid state."""
    sql_state = getattr(error, "sqlstate", None)
    if sql_state is None and "is locked" in str(error):  # SQLite, which has no states: its writer is at work
        return False
    return (sql_state or _SYNTAX_OR_ACCESS)[:2] in _FINAL


def _is_absent(error: Exception) -> bool:
    """Whether the table is not there: a sink may make it with its first record, so it is waited for."""
    return getattr(error, "sqlstate", None) == _UNDEFINED_TABLE or "no such table" in str(error)


def _tables(catalogs: list[dict[str, Any]]) -> Iterator[str]:
    schemas = (schema for catalog in catalogs for schema in catalog["catalog_db_schemas"] or ())
    for schema in schemas:
        prefix = f"{schema['db_schema_name']}." if schema["db_schema_name"] else ""
        yield from (prefix + table["table_name"] for table in schema["db_schema_tables"] or ())


def _driver(name: str) -> Any:  # noqa: ANN401  (a DB-API module, whichever driver)
    module = name if name.endswith(".dbapi") else f"{name}.dbapi"
    try:
        if name == POSTGRESQL:
            return importlib.import_module("adbc_driver_postgresql.dbapi")
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if name.split(".", maxsplit=1)[0] == POSTGRESQL:
            what = "reading a database"
            raise MissingDependencyError(what, "collect") from error
        msg = f'no ADBC driver is installed as "{name}"; install the package, as in pip install adbc-driver-sqlite'
        raise UsageError(msg) from None


def _literal(value: Order) -> str:
    return str(value) if isinstance(value, int) else f"'{value.isoformat(sep=' ')}'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
