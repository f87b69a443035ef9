"""The relations of one bundle in a Spark session, and how each is kept.

What Spark is handed as a view, it computes anew for every reader, and a chain of ninety queries would become one plan
that no optimizer finishes. So every relation that is no view is computed once, and its readers see only its rows:

1. A relation of few rows comes to the driver and goes back with the plans of its readers.
2. A longer one becomes Parquet in a scratch folder where Spark runs on this machine; on a cluster it stays with the
   executors (a local checkpoint), or in `spark.checkpoint.dir` where that is set.
"""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

MAX_ROWS_ON_DRIVER = 50_000
"""Relations of more rows are no part of plans."""
MAX_ROWS_IN_HAND = 1_000_000
"""Up to here it is cheaper to collect a relation whose length nobody knows than to write it in parallel."""

_TYPES = {
    pa.string(): "string",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp",
    pa.map_(pa.string(), pa.string()): "map<string,string>",
}
_CHECKPOINTS = "spark.checkpoint.dir"


class Relations:
    """What stands in a session under the names of relations, until `close`."""

    def __init__(self, session: SparkSession, scratch: Path | None, *, is_small: bool) -> None:
        """`scratch` is a folder Spark may write to, None on a cluster; `is_small` spares Spark all parallel work."""
        self._session = session
        self._scratch = scratch
        self._is_small = is_small
        self._rows: dict[str, pa.Table] = {}
        self._names: set[str] = set()

    @property
    def names(self) -> frozenset[str]:
        """The relations that stand."""
        return frozenset(self._names)

    def lay(self, name: str, table: pa.Table) -> None:
        """A relation of rows that are on the driver."""
        self._rows[name] = table
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # pyspark on pandas it does not know yet; we use none of it
            frame = (
                self._session.createDataFrame(table) if table.num_rows else self._session.sql(_no_rows(table.schema))
            )
        self.view(name, frame.coalesce(1) if self._is_small else frame)

    def view(self, name: str, frame: DataFrame) -> None:
        """A relation that is computed anew for every reader."""
        frame.createOrReplaceTempView(name)
        self._names.add(name)

    def keep(self, name: str, frame: DataFrame, *, is_long: bool = False) -> None:
        """A relation that is computed now. With `is_long`, it is expected to be too long for the driver."""
        if (self._scratch or self._is_small) and not is_long:
            rows = frame.limit(MAX_ROWS_IN_HAND + 1).toArrow()
            if rows.num_rows <= MAX_ROWS_ON_DRIVER:
                self.lay(name, rows)
                return
            if self._scratch and rows.num_rows <= MAX_ROWS_IN_HAND:
                self.view(name, self._written(self._scratch / name, rows, frame))
                return
        self._keep_there(name, frame)

    def arrow(self, name: str, schema: pa.Schema) -> pa.Table:
        """The columns of `schema` in a total order: by every column, nulls first."""
        found = self._rows.get(name)
        rows = self._session.table(name).toArrow() if found is None else found
        typed = rows.select(schema.names).cast(schema)
        # DuckDB orders the answers of either engine: text, NaN and nulls stand where they stand in the other's.
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.register("answer", typed)
            ordered: pa.Table = connection.sql("from answer order by all nulls first").to_arrow_table()
        return ordered

    def drop(self, name: str) -> None:
        """Let go of a relation and of the space it takes."""
        self._session.catalog.dropTempView(name)
        self._rows.pop(name, None)
        self._names.discard(name)
        if self._scratch:
            shutil.rmtree(self._scratch / name, ignore_errors=True)

    def close(self) -> None:
        """Let go of all of them."""
        for name in sorted(self._names):
            self.drop(name)

    def _keep_there(self, name: str, frame: DataFrame) -> None:
        """Compute a relation in parallel and leave it there, unless it turns out to be short."""
        if self._scratch:
            path = f"file://{self._scratch / name}"
            frame.write.option("compression", "lz4").parquet(path)
            kept = self._session.read.schema(frame.schema).parquet(path)
        elif self._session.conf.get(_CHECKPOINTS, None):
            kept = frame.checkpoint()
        else:
            kept = frame.localCheckpoint()
        if kept.count() > MAX_ROWS_ON_DRIVER:
            self.view(name, kept)
        else:
            self.lay(name, kept.toArrow())

    def _written(self, folder: Path, rows: pa.Table, like: DataFrame) -> DataFrame:
        folder.mkdir()
        pq.write_table(rows, folder / "rows.parquet", compression="lz4")
        return self._session.read.schema(like.schema).parquet(f"file://{folder}")


def _no_rows(schema: pa.Schema) -> str:
    """A statement that returns no rows: pyspark takes no types from a table without any."""
    return (
        f"select {', '.join(f'cast(null as {_TYPES[field.type]}) as `{field.name}`' for field in schema)} where false"
    )
