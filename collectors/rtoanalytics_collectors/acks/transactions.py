"""Rows of an open transaction: what a record of it came to is known when the transaction is.

A record is acknowledged before its transaction is committed or aborted, and one row is one final outcome. So rows
wait in memory. A process that is killed with its transaction open has captured none of it, which is what is known of
it: the coordinator aborts it later, unless the commit was already under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.schemas import TABLES
from rtoanalytics_collectors.acks.outcomes import ABORTED, ACKED, FAILED, INDETERMINATE
from rtoanalytics_collectors.spool.runs import as_runs, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_HELD_ROWS = 1_000_000
"""Rows that wait for the end of one transaction; beyond that the oldest are written as indeterminate."""
NOT_ENDED = "TRANSACTION_NOT_ENDED"
"""Error of an acknowledged record whose transaction has no known end."""
TOO_LARGE = "TRANSACTION_TOO_LARGE"
"""Error of an acknowledged record whose transaction has more rows than are kept in memory."""

_OUTCOME = TABLES["acks"].arrow_schema.get_field_index("outcome")
_ERROR = TABLES["acks"].arrow_schema.get_field_index("error")


class Held:
    """Rows that wait for the end of a transaction, oldest first. One thread at a time."""

    def __init__(self) -> None:
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0

    def __len__(self) -> int:
        """Rows that wait."""
        return self._rows

    def hold(self, batches: Iterable[pa.RecordBatch]) -> list[pa.RecordBatch]:
        """Keep rows; what no longer fits comes back as indeterminate."""
        for batch in batches:
            self._batches.append(batch)
            self._rows += batch.num_rows
        refused = []
        while self._rows > MAX_HELD_ROWS:
            oldest = self._batches.pop(0)
            self._rows -= oldest.num_rows
            refused.append(unknown(oldest, TOO_LARGE))
        return refused

    def release(self) -> list[pa.RecordBatch]:
        """Every row, as it was acknowledged or failed."""
        batches, self._batches, self._rows = self._batches, [], 0
        return batches


def aborted(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of an aborted transaction: whether acknowledged or not, no reader of committed records sees them.

    What is known never to have been in the log stays `failed`.
    """
    outcomes = as_text(batch.column(_OUTCOME))
    return _with(batch, _OUTCOME, pc.if_else(pc.equal(outcomes, pa.scalar(FAILED)), outcomes, ABORTED))


def unknown(batch: pa.RecordBatch, error: str) -> pa.RecordBatch:
    """Rows of a transaction whose end is not known: acknowledged records are indeterminate, for this reason."""
    outcomes = as_text(batch.column(_OUTCOME))
    is_acked = pc.equal(outcomes, pa.scalar(ACKED))
    errors = pc.if_else(is_acked, error, as_text(batch.column(_ERROR)))
    return _with(_with(batch, _OUTCOME, pc.if_else(is_acked, INDETERMINATE, outcomes)), _ERROR, errors)


def _with(batch: pa.RecordBatch, number: int, values: pa.Array[Any]) -> pa.RecordBatch:
    arrays = list(batch.columns)
    arrays[number] = as_runs(values)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)
