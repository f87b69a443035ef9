"""Records read back from a log, as columns of `log_records`. Pure: a batch in, a batch out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US, TABLES
from rtoanalytics_collectors.identity import from_key, reads_only_the_key
from rtoanalytics_collectors.kafka import FENCE_HEADER
from rtoanalytics_collectors.kafka.reading import BATCH_RECORDS
from rtoanalytics_collectors.spool.runs import as_runs, repeated, runs_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics_collectors.identity import RecordId
    from rtoanalytics_collectors.kafka import Headers, LogBatch
    from rtoanalytics_collectors.spool import Row

Column = Any
"""An Arrow array."""
_TABLE = TABLES["log_records"]
_SCHEMA = runs_schema(_TABLE)
_FIRST_MS, _LAST_MS = FIRST_INSTANT_US // 1_000, LAST_INSTANT_US // 1_000
_COUNTING: Column = pa.array(range(BATCH_RECORDS), pa.int64())
_INSTANT = _TABLE.by_name["appended_at"].arrow_type


def without_fences(batch: LogBatch) -> tuple[LogBatch, bool]:
    """The records that are no fences of a scan, and whether the last one was a fence."""
    if batch.headers is None:
        return batch, False
    is_record = [not is_fence(headers) for headers in batch.headers]
    return (batch if all(is_record) else batch.where(is_record)), not is_record[-1]


def is_fence(headers: Headers | None) -> bool:
    """Whether these are the headers of a fence, and not of a record of the flow."""
    return any(name == FENCE_HEADER for name, _ in headers or ())


def rows_of(batch: LogBatch, scan: Row, record_id: RecordId) -> pa.RecordBatch:
    """Rows of `log_records`; `scan` has the columns that are the same for a whole scan. One record at least."""
    rows = len(batch)
    columns = {
        "record_offset": _offsets(batch.offsets),
        "record_id": _identities(batch, record_id),
        "appended_at": _instants(batch.timestamps_ms),
        "timestamp_type": _names(batch.timestamp_types),
        "leader_epoch": _epochs(batch.leader_epochs),
    }
    for column in _TABLE.columns:
        if column.name not in columns:
            value, kind = scan[column.name], _SCHEMA.field(column.name).type
            columns[column.name] = (
                repeated(value, rows) if isinstance(value, str) else pa.repeat(value, rows).cast(kind)
            )
    return pa.RecordBatch.from_arrays([columns[name] for name in _SCHEMA.names], schema=_SCHEMA)


def _offsets(offsets: Sequence[int]) -> Column:
    """Offsets rise: where the last is as far from the first as they are many, none is left out."""
    first, rows = offsets[0], len(offsets)
    if rows <= len(_COUNTING) and offsets[-1] - first == rows - 1:
        return pc.add(_COUNTING.slice(0, rows), pa.scalar(first))
    return pa.array(offsets, pa.int64())


def _epochs(epochs: Sequence[int | None]) -> Column:
    if epochs.count(epochs[0]) == len(epochs):
        return pa.repeat(pa.scalar(epochs[0], pa.int32()), len(epochs))
    return pa.array(epochs, pa.int32())


def _identities(batch: LogBatch, record_id: RecordId) -> Column:
    if record_id is from_key:
        try:
            return pa.array(batch.keys, pa.binary()).cast(pa.string())
        except (pa.ArrowException, TypeError):
            pass  # keys that are no text
    nothing: Sequence[Headers | None] = [None] * len(batch)
    headers = nothing if batch.headers is None or reads_only_the_key(record_id) else batch.headers
    pairs = zip(batch.keys, headers, strict=True)
    return pa.array([record_id(key, found or ()) for key, found in pairs], pa.string())


def _instants(timestamps_ms: Sequence[int | None]) -> Column:
    """Null for what no evidence can hold: a producer may name any number as its record's timestamp."""
    stamps: Column = pa.array(timestamps_ms, pa.int64())
    found: Any = pc.min_max(stamps).as_py()
    if found["min"] is None or found["min"] < _FIRST_MS or found["max"] >= _LAST_MS:
        is_held = pc.and_(pc.greater_equal(stamps, pa.scalar(_FIRST_MS)), pc.less(stamps, pa.scalar(_LAST_MS)))
        stamps = pc.if_else(is_held, stamps, pa.scalar(None, pa.int64()))
    return pc.multiply(stamps, pa.scalar(1_000)).cast(_INSTANT)


def _names(names: Sequence[str | None]) -> Column:
    if names.count(names[0]) == len(names):
        return repeated(names[0], len(names))
    return as_runs(pa.array(names, pa.string()))
