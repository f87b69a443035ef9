"""What a spool holds in memory until it is on disk: a bounded, thread-safe line of rows and batches."""

from __future__ import annotations

import threading
from itertools import accumulate, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.schemas import Table

Row = dict[str, Any]
"""Values by column name; instants as int microseconds since the epoch; a column left out is null."""
WRITE_ROWS = 100_000
"""Rows that are made durable together: after a failure, what the disk takes again is not written twice."""
MISFITS = (pa.ArrowException, TypeError, ValueError, OverflowError)
"""What is raised for a value that does not fit its column."""


class Waiting:
    """Rows and batches that wait, oldest first. What does not fit under `max_rows` is refused, newest first."""

    def __init__(self, table: Table, max_rows: int) -> None:
        self._table = table
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._rows: list[Row] = []
        self._batches: list[pa.RecordBatch] = []
        self._batched = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self._rows) + self._batched

    def close(self) -> bool:
        """Refuse everything from now on; False when it was closed already."""
        with self._lock:
            was_open, self._is_closed = not self._is_closed, True
        return was_open

    def add_rows(self, rows: tuple[Row, ...]) -> int:
        """Take rows; returns how many were refused."""
        with self._lock:
            room = self._room()
            self._rows.extend(rows[:room])
        return max(0, len(rows) - room)

    def add_batch(self, batch: pa.RecordBatch) -> int:
        """Take a batch, or its first rows; returns how many rows were refused."""
        with self._lock:
            taken = batch.slice(0, self._room())
            self._append(taken)
        return batch.num_rows - taken.num_rows

    def put_back(self, batches: list[pa.RecordBatch]) -> None:
        """Put what could not be written in front of what has come since."""
        with self._lock:
            self._batches[:0] = batches
            self._batched += sum(batch.num_rows for batch in batches)

    def take(self) -> tuple[list[pa.RecordBatch], list[Exception]]:
        """Everything that waits, as batches of the table's schema, and an error for each row that fits none."""
        with self._lock:
            rows, self._rows = self._rows, []
            batches, self._batches, self._batched = self._batches, [], 0
        return _with_rows(batches, rows, self._table)

    def _room(self) -> int:
        return 0 if self._is_closed else max(0, self._max_rows - len(self))

    def _append(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows:
            self._batches.append(batch)
            self._batched += batch.num_rows


def portions_of(batches: list[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in groups of about `WRITE_ROWS` rows and of one schema."""
    ends = accumulate(batch.num_rows for batch in batches)
    numbered = [(end // WRITE_ROWS, batch.schema, batch) for end, batch in zip(ends, batches, strict=True)]
    for _, group in groupby(numbered, key=itemgetter(0, 1)):
        yield [batch for _, _, batch in group]


def _with_rows(
    batches: list[pa.RecordBatch], rows: list[Row], table: Table
) -> tuple[list[pa.RecordBatch], list[Exception]]:
    if not rows:
        return batches, []
    try:
        return [*batches, _batch(rows, table)], []
    except MISFITS:
        fitting, errors = _fitting(rows, table)
        return [*batches, *fitting], errors


def _fitting(rows: list[Row], table: Table) -> tuple[list[pa.RecordBatch], list[Exception]]:
    """Rows one by one: a value of the wrong type costs its own row, not those that came with it."""
    good: list[Row] = []
    errors: list[Exception] = []
    for row in rows:
        try:
            _batch([row], table)
        except MISFITS as error:
            errors.append(error)
        else:
            good.append(row)
    return ([_batch(good, table)] if good else []), errors


def _batch(rows: list[Row], table: Table) -> pa.RecordBatch:
    arrays = [pa.array([row.get(column.name) for row in rows], column.arrow_type) for column in table.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema)
