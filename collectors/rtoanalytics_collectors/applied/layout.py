"""Where a downstream keeps its effects, in its own names, and how those become rows of `applied`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from rtoanalytics.errors import ClusterError, UsageError, nearest
from rtoanalytics.schemas import TABLES, Kind
from rtoanalytics_collectors.identity import from_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rtoanalytics.schemas import Column
    from rtoanalytics_collectors.spool import Row

    Values = pa.ChunkedArray[Any]

APPLIED = TABLES["applied"]
CONNECT_COLUMNS: Mapping[str, str] = {
    "topic": "__connect_topic",
    "partition": "__connect_partition",
    "record_offset": "__connect_offset",
}
"""What Kafka Connect's JDBC sinks call the source coordinates when the primary key is the record's place in Kafka."""

Instants = Literal["zoned", "utc", "s", "ms", "us"]
"""How `applied_at` is kept: with its zone, without one but meant as UTC, or as a number since the epoch."""
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_INSTANT = pa.timestamp("us", tz="UTC")
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)$"


@dataclass(frozen=True)
class AppliedTable:
    """Where a downstream keeps its effects when one writer numbers them, in its own names."""

    table: str
    columns: Mapping[str, str]
    """Column of the downstream by column of the evidence table `applied`; instants are integer microseconds."""
    order: str
    """A column that only grows, in the order effects become visible (an autoincrement key of a single writer):
    rows are read once, in this order. Where writers commit out of order, rows would be missed."""
    application_id: bool = True
    """Whether `order` identifies the effect, and so becomes its `application_id`."""


@dataclass(frozen=True)
class Layout:
    """Which column of a downstream holds what. Raises UsageError for a column that evidence does not have."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of the downstream by column of the evidence; empty when the downstream uses the evidence's names.
    Source coordinates left out are taken from Kafka Connect's columns, where they exist."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Values that are the same in every row, such as the source cluster or topic."""
    instants: Instants = "zoned"
    """How `applied_at` is kept. A timestamp without a zone is refused unless it is said that it means UTC."""

    def __post_init__(self) -> None:
        check_columns([*self.columns, *self.constants], "downstream")

    def found_in(self, names: Iterable[str], where: str) -> dict[str, str]:
        """Column of the downstream by column of the evidence, of a downstream whose columns are `names`.

        Raises ClusterError when a mapped column is not there, or nothing tells when an effect was applied.
        """
        known = list(names)
        wanted = dict(self.columns) or {name: name for name in APPLIED.by_name if name in known}
        wanted |= {
            ours: theirs
            for ours, theirs in CONNECT_COLUMNS.items()
            if theirs in known and ours not in wanted and ours not in self.constants
        }
        for theirs in wanted.values():
            if theirs not in known:
                msg = f'{where} has no column "{theirs}"{nearest(theirs, known)}; it has {_listed(known)}'
                raise ClusterError(msg)
        if "applied_at" not in wanted:
            msg = (
                f"{where} has nothing that tells when an effect was applied: map applied_at to a column; "
                f"it has {_listed(known)}"
            )
            raise ClusterError(msg)
        return wanted

    def evidence(self, effects: pa.Table, found: Mapping[str, str], where: str) -> pa.Table:
        """Effects as rows of `applied`: every column of evidence, in its type.

        Raises ClusterError when a value does not fit its column, or `applied_at` is null or has no zone.
        """
        return pa.table(
            [self._column(column, effects, found, where) for column in APPLIED.columns], schema=APPLIED.arrow_schema
        )

    def _column(self, column: Column, effects: pa.Table, found: Mapping[str, str], where: str) -> Values:
        if column.name not in found:
            return _same(self.constants.get(column.name), column.arrow_type, effects.num_rows)
        name = found[column.name]
        values = _plain(effects.column(name))
        try:
            if column.kind is Kind.INSTANT:
                return _instants(values, self.instants)
            return _text(values) if column.arrow_type == pa.string() else values.cast(column.arrow_type)
        except (pa.ArrowException, ValueError) as error:
            msg = f'{where}: column "{name}" ({values.type}) cannot be {column.name} ({column.arrow_type}): {error}'
            raise ClusterError(msg) from None


def check_columns(names: Iterable[str], forbidden: str | None = None) -> None:
    """Raise UsageError for names that are no column of `applied`, or that it fills itself."""
    allowed = [name for name in APPLIED.by_name if name != forbidden]
    for name in names:
        if name not in allowed:
            msg = f'"{name}" is no column of applied{nearest(name, allowed)}; allowed: {", ".join(allowed)}'
            raise UsageError(msg)


def with_values(applied: pa.Table, **values: Values | str) -> pa.Table:
    """The same rows with other values in some columns; a string stands in every row."""
    for name, value in values.items():
        array = _same(value, pa.string(), applied.num_rows) if isinstance(value, str) else value
        applied = applied.set_column(applied.schema.get_field_index(name), name, array)
    return applied


def rows_of(applied: pa.Table) -> list[Row]:
    """Rows for a spool: values by column name, instants as microseconds since the epoch."""
    instants = applied.column("applied_at").cast(pa.int64())
    rows: list[Row] = with_values(applied, applied_at=instants).to_pylist()
    return rows


def _same(value: object, kind: pa.DataType, rows: int) -> Values:
    """One value in every row."""
    values: Values = pa.chunked_array([pa.array([value], kind).take(pa.array([0] * rows, pa.int64()))])
    return values


def _instants(values: Values, kept_as: Instants) -> Values:
    if values.null_count:
        msg = f"{values.null_count} effects without an instant; every effect needs one"
        raise ValueError(msg)
    if kept_as in _MICROSECONDS and (pa.types.is_floating(values.type) or kept_as == "s"):
        return (
            pc.round(pc.multiply(values.cast(pa.float64()), float(_MICROSECONDS[kept_as])))
            .cast(pa.int64())
            .cast(_INSTANT)
        )
    if kept_as in _MICROSECONDS:
        return pc.multiply_checked(values.cast(pa.int64()), _MICROSECONDS[kept_as]).cast(_INSTANT)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _parsed(values, kept_as)
    if not pa.types.is_timestamp(values.type):
        msg = "no timestamp; say instants: s, ms or us for a number since the epoch"
        raise ValueError(msg)
    if values.type.tz is None and kept_as != "utc":
        raise ValueError(_NO_ZONE)
    return values.cast(_INSTANT, safe=False)  # nanoseconds are cut to microseconds


_NO_ZONE = "timestamps without a zone; say instants: utc if they are meant as UTC, or give the column its zone"


def _parsed(values: Values, kept_as: Instants) -> Values:
    """Instants from ISO 8601 text."""
    if kept_as == "utc":
        values = pa.chunked_array([_with_zone(values.to_pylist())], pa.string())
    elif not pc.all(pc.match_substring_regex(values, _ZONE), min_count=0).as_py():
        raise ValueError(_NO_ZONE)
    return values.cast(pa.timestamp("ns", tz="UTC")).cast(_INSTANT, safe=False)


def _with_zone(texts: list[Any]) -> pa.Array[Any]:
    return pa.array([text if re.search(_ZONE, text) else f"{text}Z" for text in texts], pa.string())


def _plain(values: Values) -> Values:
    """What stands behind a driver's own type, where that is text (PostgreSQL's numeric)."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType) and kind.storage_type == pa.string():
        chunks: list[Any] = values.chunks
        return pa.chunked_array([chunk.storage for chunk in chunks], pa.string())
    return values


def _text(values: Values) -> Values:
    """Text as it is, numbers and identifiers as they are written, bytes that are no text in hexadecimal."""
    try:
        return values.cast(pa.string())
    except pa.ArrowException:
        return pa.chunked_array([pa.array([_written(value) for value in values.to_pylist()], pa.string())])


def _written(value: object) -> str | None:
    if isinstance(value, bytes):
        return from_key(value, ())
    return None if value is None else str(value)


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
