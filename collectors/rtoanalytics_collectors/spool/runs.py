"""Names that repeat are stored as runs: a column that is the same in every row of a batch costs nothing to write.

Run-end encoding, not dictionaries: a record batch then stands for itself, so that a segment can be read batch by
batch while it is being written. Sealing makes dictionaries of the runs, which is how Parquet keeps them.
"""

from __future__ import annotations

from functools import cache
from operator import sub
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.schemas import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.schemas import Table

RUNS = pa.run_end_encoded(pa.int32(), pa.string())
"""The type of a name's column as runs."""
Column = Any
"""An Arrow array; the stubs know none of its runs."""


def runs_schema(table: Table) -> pa.Schema:
    """The schema of a table whose names are stored as runs."""
    return pa.schema(
        [pa.field(column.name, RUNS if column.kind is Kind.NAME else column.arrow_type) for column in table.columns]
    )


def repeated(value: str | None, rows: int) -> Column:
    """One value in every row; `rows` is at least 1."""
    return pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), pa.array([value], pa.string()))


def as_runs(names: Column) -> Column:
    """Names as runs."""
    return pc.run_end_encode(names)  # type: ignore[attr-defined]  # the stubs do not know it


def runs_of(names: Column) -> Iterator[tuple[str, int]]:
    """Each run of a whole column of names, and its length."""
    ends = names.run_ends.to_pylist()
    return zip(names.values.to_pylist(), map(sub, ends, [0, *ends]), strict=True)


def as_text(names: Column) -> Column:
    """Names as text, however they are stored."""
    return _decoded(names) if names.type == RUNS else names


@cache
def text_schema(schema: pa.Schema) -> pa.Schema:
    """A schema as its rows are read."""
    return _with_names(schema, pa.string())


@cache
def sealing_schema(schema: pa.Schema) -> pa.Schema:
    """A schema as its rows are sealed: dictionaries for runs."""
    return _with_names(schema, pa.dictionary(pa.int32(), pa.string()))


def for_sealing(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch with dictionaries for its runs."""
    schema = sealing_schema(batch.schema)
    if schema == batch.schema:
        return batch
    arrays = [_as_dictionary(column) if column.type == RUNS else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _with_names(schema: pa.Schema, kind: Column) -> pa.Schema:
    return pa.schema([field.with_type(kind) if field.type == RUNS else field for field in schema])


def _as_dictionary(names: Column) -> Column:
    """Only the runs are looked at, each once: their numbers in the dictionary are then repeated."""
    encoded = names.values.dictionary_encode()
    numbers = pa.RunEndEncodedArray.from_arrays(names.run_ends, encoded.indices).slice(names.offset, len(names))
    return pa.DictionaryArray.from_arrays(_decoded(numbers), encoded.dictionary)


def _decoded(runs: Column) -> Column:
    return pc.run_end_decode(runs)  # type: ignore[attr-defined]
