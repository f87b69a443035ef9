"""Events: what somebody or something did, said while it happened."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics.errors import UsageError
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US, TABLES
from rtoanalytics_collectors.bundle import refuse_sealed, refuse_without_drill
from rtoanalytics_collectors.clocks import now_us
from rtoanalytics_collectors.parquet import write_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics_collectors.spool import Row


def mark(
    bundle: Path,
    kind: str,
    *,
    step: str | None = None,
    actor: str | None = None,
    channel: str | None = None,
    text: str | None = None,
    source: str | None = "rto mark",
    occurred_at: int | None = None,
) -> Path:
    """Add one event to a bundle, also while it is being captured; returns the file that holds it.

    `occurred_at` is in microseconds since the epoch; now when None. Each event is a small file of its own, so that
    people and programs on one bundle never wait for each other, and an event is there whole or not at all. Raises
    UsageError for a folder without drill.yaml, a sealed bundle, an empty kind, or an instant that cannot be one.
    """
    refuse_without_drill(bundle)
    refuse_sealed(bundle)
    row = event_row(kind, step=step, actor=actor, channel=channel, text=text, source=source, occurred_at=occurred_at)
    table = TABLES["events"]
    path = bundle / "evidence" / table.name / f"mark-{uuid.uuid4()}.parquet"
    write_evidence(pa.Table.from_pylist([row], schema=table.arrow_schema), table, path)
    return path


def event_row(
    kind: str,
    *,
    step: str | None = None,
    actor: str | None = None,
    channel: str | None = None,
    text: str | None = None,
    source: str | None = None,
    occurred_at: int | None = None,
) -> Row:
    """One row of `events`; `occurred_at` in microseconds since the epoch, now when None.

    Raises UsageError for an empty kind, an instant that cannot be one, or a text that is no Unicode.
    """
    row: Row = {
        "occurred_at": now_us() if occurred_at is None else occurred_at,
        "kind": kind.strip(),
        "step": step,
        "actor": actor,
        "channel": channel,
        "text": text,
        "source": source,
    }
    _refuse_impossible(row["kind"], row["occurred_at"])
    for column, value in row.items():
        _refuse_half_characters(column, value)
    return row


def _refuse_impossible(kind: object, occurred_at: object) -> None:
    if not kind:
        msg = 'the event has no kind; name one, such as "declare", "switch" or "note"'
        raise UsageError(msg)
    if not isinstance(occurred_at, int) or not FIRST_INSTANT_US <= occurred_at < LAST_INSTANT_US:
        msg = f"occurred_at is {occurred_at} µs; allowed are instants from 1970 to 2199"
        raise UsageError(msg)


def _refuse_half_characters(column: str, value: object) -> None:
    """Half of a surrogate pair is a character to Python and to JSON, but no text can be stored that holds one."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        msg = f"{column} holds half a character (a lone surrogate); allowed is any Unicode text"
        raise UsageError(msg) from None
