"""Moves a captured bundle to another date, so that one afternoon of captures can stand for a year of drills.

Every instant of every table moves by the same whole number of days, so nothing that is measured changes: durations,
order and clock errors are what was captured. The move is said in the evidence, as an event of its own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rtoanalytics.schemas import TABLES, Kind
from rtoanalytics_collectors.events import mark
from rtoanalytics_collectors.parquet import write_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.schemas import Table

_US = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def move_to(bundle: Path, day: date) -> int:
    """Move the first `inject` of an unsealed bundle to `day` (UTC), keeping the time of day; the days it was moved.

    An event of kind `note` says from where. Raises ValueError when the bundle has no `inject` event.
    """
    captured = _injected(bundle)
    days = (day - captured.date()).days
    for table in TABLES.values():
        for path in sorted((bundle / "evidence" / table.name).glob("*.parquet")):
            _move(path, table, timedelta(days=days))
    text = (
        f"captured in the drill lab on {captured:%Y-%m-%d}; every instant moved by {days} days to stand for this date"
    )
    at = datetime.combine(day, time(), UTC) + (captured - datetime.combine(captured.date(), time(), UTC))
    mark(bundle, "note", actor="drill lab", text=text, source="drill lab", occurred_at=(at - _EPOCH) // _US)
    return days


def _injected(bundle: Path) -> datetime:
    events = pq.read_table(bundle / "evidence" / "events", partitioning=None)
    injects = events.filter(pc.equal(events["kind"], pa.scalar("inject")))
    if not injects.num_rows:
        msg = f"{bundle}: found no inject event to date the drill by"
        raise ValueError(msg)
    first = pc.min(injects["occurred_at"].cast(pa.int64())).as_py()
    return _EPOCH + timedelta(microseconds=first)


def _move(path: Path, table: Table, by: timedelta) -> None:
    rows = pq.read_table(path, partitioning=None)
    notes = {key.decode(): value.decode() for key, value in (rows.schema.metadata or {}).items()}
    for column in table.columns:
        if column.kind is Kind.INSTANT and column.name in rows.column_names:
            moved = pc.add(rows[column.name].cast(pa.int64()), by // _US).cast(column.arrow_type)
            rows = rows.set_column(rows.schema.get_field_index(column.name), column.name, moved)
    write_evidence(rows, table, path, {key: value for key, value in notes.items() if key != "ARROW:schema"})
