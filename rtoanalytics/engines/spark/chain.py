"""Run the query chain on Spark, over the evidence of one bundle."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from rtoanalytics.bundle import check_values
from rtoanalytics.engines.definition import SCHEMAS, definition_relations
from rtoanalytics.engines.plan import (
    FUNCTIONS,
    LONG,
    MAX_STEPS,
    UNMERGED,
    VIEWS,
    WORD_OFFSETS,
    Progress,
    last_readers,
    lost_views,
)
from rtoanalytics.engines.scratch import scratch_folder
from rtoanalytics.engines.spark.evidence import empty_evidence, evidence_frame
from rtoanalytics.engines.spark.failures import one_clear_message
from rtoanalytics.engines.spark.relations import MAX_ROWS_ON_DRIVER, Relations
from rtoanalytics.engines.spark.session import Computation, Target, open_session, set_for_now
from rtoanalytics.errors import EvidenceError, Problem
from rtoanalytics.queries import GRID, GRID_ENDS, Query, in_order, load_queries
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pyspark.sql import DataFrame, SparkSession

    from rtoanalytics.bundle import Bundle, EvidenceFile

    Check = Callable[[duckdb.DuckDBPyConnection, Bundle], list[Problem]]

NAME = "spark"
"""The engine's name, on the command line and in the names of queries in its own words."""

SMALL_EVIDENCE_ROWS = 200_000
"""Up to here starting parallel work and compiling it costs more than it saves."""

_SPARED = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""For small evidence: everything in one task, and nothing compiled."""

_AT_SIZE = {
    # A row takes a byte or two in a file and fifty in memory: Spark would send millions of rows to every executor.
    "spark.sql.sources.fileCompressionFactor": "50",
    "spark.sql.adaptive.autoBroadcastJoinThreshold": "2MB",
}

BODIES = {
    "word_of": f"record_offset - record_offset % {WORD_OFFSETS}",
    "offset_bit": f"shiftleft(1L, cast(record_offset % {WORD_OFFSETS} as int))",
    "identity_hash": "case when record_id is not null then xxhash64(record_id, record_offset) end",
    # Nulls leave a hash of Spark as it is.
    "source_hash": "xxhash64(downstream, cluster is null, cluster, topic is null, topic, partition is null, partition)",
}
_PARAMETERS = {
    "record_id": "string",
    "record_offset": "bigint",
    "downstream": "string",
    "cluster": "string",
    "topic": "string",
    "partition": "int",
}

_SHAPES: Mapping[str, tuple[str, pa.DataType]] = {
    "bigint": ("bigint", pa.int64()),
    "integer": ("int", pa.int32()),
    "double": ("double", pa.float64()),
    "boolean": ("boolean", pa.bool_()),
    "varchar": ("string", pa.string()),
}
"""Types of returned columns: in Spark's words, and in an answer."""


@dataclass(frozen=True)
class SparkEngine:
    """An open session with the relations of one bundle."""

    session: SparkSession
    bundle: Bundle
    relations: Relations
    is_small: bool
    """Whether every table is expected to fit into this process."""

    def arrow(self, relation: str) -> pa.Table:
        """A relation as an Arrow table in a total order: by every column, nulls first."""
        with one_clear_message(relation):
            return self.relations.arrow(relation, _answer_schema(relation))

    def rows(self, relation: str) -> list[dict[str, Any]]:
        """A small relation as dictionaries, in the order of `arrow`."""
        return self.arrow(relation).to_pylist()


@contextmanager
def answered_on(
    target: Target,
    bundle: Bundle,
    *,
    scratch: Path | None = None,
    check: Check = check_values,
    attend: Callable[[Computation], AbstractContextManager[None]] = lambda _: nullcontext(),
    watch: Callable[[Progress], None] | None = None,
) -> Iterator[SparkEngine]:
    """An engine on the Spark of `target` on which the chain has run, without its long tables.

    `attend` is entered as long as the engine is open: for who ends it from another thread. Everything else as for
    `open_engine` and `run_queries`.
    """
    session = open_session(target, scratch)
    shares_disks = target.is_on_this_machine
    with (
        attend(Computation(session)),
        open_engine(
            bundle, session, scratch=scratch, shares_disks=shares_disks, location=target.location, check=check
        ) as engine,
    ):
        run_queries(engine, keep_long=False, watch=watch)
        yield engine


@contextmanager
def open_engine(
    bundle: Bundle,
    session: SparkSession,
    *,
    scratch: Path | None = None,
    shares_disks: bool = True,
    location: str | None = None,
    check: Check = check_values,
) -> Iterator[SparkEngine]:
    """An engine on which evidence and the drill definition can be read, and no query has run yet.

    Every value of the evidence is checked first, by DuckDB in this process, as for the other engine: EvidenceError
    tells all that are outside their domain. Relations too long for this process are written to a folder below
    `scratch` (default: the system's) and removed at the end; without `shares_disks` they stay on the cluster.
    `location` is the bundle as executors see it, a folder or an address Spark reads; default: the bundle's own folder.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        problems = check(connection, bundle)
    if problems:
        raise EvidenceError(problems)
    is_small = sum(file.rows for files in bundle.files.values() for file in files) <= SMALL_EVIDENCE_ROWS
    with (
        scratch_folder(scratch) as folder,
        set_for_now(session, _SPARED if is_small else _AT_SIZE),
    ):
        relations = Relations(session, Path(folder) if shares_disks else None, is_small=is_small)
        engine = SparkEngine(session, bundle, relations, is_small)
        try:
            with one_clear_message("the drill definition"):
                _define(engine, location or f"file://{bundle.root}")
            yield engine
        finally:
            relations.close()


def run_queries(
    engine: SparkEngine,
    wanted: Iterable[str] | None = None,
    *,
    keep_long: bool = True,
    watch: Callable[[Progress], None] | None = None,
) -> None:
    """Run the chain: all of it, or what `wanted` needs.

    Without `keep_long`, tables with a row for every record are dropped as soon as no query needs them any more.
    Raises EvidenceError when the capture spans more than MAX_STEPS steps, QueryError when a number outgrows its column
    or Spark fails.
    """
    order = in_order(load_queries(), wanted)
    dropped_after = {} if keep_long else last_readers(order)
    lost = frozenset() if keep_long else lost_views(order)
    for done, query in enumerate(order):
        if query.name in lost:
            continue
        if watch:
            watch(Progress(query.name, done, len(order)))
        with one_clear_message(query.name):
            _run(engine, query)
            if query.name == GRID_ENDS:
                _lay_steps(engine)
            for name in dropped_after.get(query.name, ()):
                engine.relations.drop(name)
    if watch:
        watch(Progress("", len(order), len(order)))


def _define(engine: SparkEngine, location: str) -> None:
    for function, parameters in FUNCTIONS.items():
        taken = ", ".join(f"{name} {_PARAMETERS[name]}" for name in parameters)
        engine.session.sql(
            f"create or replace temporary function {function}({taken}) returns bigint return {BODIES[function]}"
        )
    for name, table in definition_relations(engine.bundle.drill).items():
        engine.relations.lay(name, table)
    for name in TABLES:
        with one_clear_message(name):
            _lay_evidence(engine, name, lambda file: f"{location}/{file.name}")


def _lay_evidence(engine: SparkEngine, name: str, location: Callable[[EvidenceFile], str]) -> None:
    files = engine.bundle.files.get(name, ())
    if not files:
        engine.relations.lay(name, empty_evidence(name))
        return
    frame = evidence_frame(engine.session, name, files, location)
    is_long = sum(file.rows for file in files) > MAX_ROWS_ON_DRIVER
    if name in UNMERGED and is_long:
        engine.relations.view(name, frame)
    else:
        engine.relations.keep(name, frame if name in UNMERGED else frame.distinct(), is_long=is_long)


def _run(engine: SparkEngine, query: Query) -> None:
    frame = _typed(engine.session.sql(query.sql_for(NAME)), query)
    if query.name in VIEWS:
        engine.relations.view(query.name, frame)
    else:
        engine.relations.keep(query.name, frame, is_long=query.name in LONG and not engine.is_small)


def _typed(frame: DataFrame, query: Query) -> DataFrame:
    """The columns that a query's header tells, in those types: engines differ in the types of their arithmetic."""
    return frame.selectExpr(
        *(f"cast(`{column.name}` as {_SHAPES[column.type][0]}) as `{column.name}`" for column in query.returns)
    )


def _answer_schema(relation: str) -> pa.Schema:
    if relation in SCHEMAS:
        return SCHEMAS[relation]
    if relation in TABLES:
        return empty_evidence(relation).schema
    if relation == GRID:
        return pa.schema([("step_us", pa.int64())])
    return pa.schema([pa.field(column.name, _SHAPES[column.type][1]) for column in load_queries()[relation].returns])


def _lay_steps(engine: SparkEngine) -> None:
    """The grid of M7: whole steps since the epoch, from the first to the last live evidence, both inclusive."""
    ends = engine.rows(GRID_ENDS)
    (objectives,) = engine.rows("drill_objectives")
    step_us = objectives["step_us"]
    first, last = (ends[0]["first_us"] + -ends[0]["first_us"] % step_us, ends[0]["last_us"]) if ends else (0, -1)
    count = max(0, (last - first) // step_us + 1)
    if count > MAX_STEPS:
        raise EvidenceError([_too_many_steps(engine, count)])
    if count <= MAX_ROWS_ON_DRIVER:
        engine.relations.lay(
            GRID, pa.table({"step_us": pa.array([first + n * step_us for n in range(count)], pa.int64())})
        )
    else:
        engine.relations.view(GRID, engine.session.range(first, first + count * step_us, step_us).toDF("step_us"))


def _too_many_steps(engine: SparkEngine, count: int) -> Problem:
    extents = [row for row in engine.rows("table_extents") if row["is_live"]]
    extents.sort(key=lambda row: (row["first_us"], row["table_name"]))
    spans = "; ".join(
        f"{row['table_name']} from {_shown(row['first_us'])} to {_shown(row['last_us'])}" for row in extents
    )
    return Problem(
        "evidence",
        f"the capture spans {count:,} steps ({spans})",
        f"at most {MAX_STEPS:,}; remove instants that do not belong to the drill, or set a longer step_seconds",
    )


def _shown(instant_us: int) -> str:
    return str(datetime(1970, 1, 1) + timedelta(microseconds=instant_us))  # noqa: DTZ001  (UTC, as every instant)
