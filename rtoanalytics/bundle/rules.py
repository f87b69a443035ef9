"""What the values of a table must hold to, as SQL conditions over the columns of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics.bundle.casts import Reading, RefusedTypeError, null_of, reading_of
from rtoanalytics.bundle.sql import quoted, text_literal
from rtoanalytics.schemas import FIRST_INSTANT_US, LAST_INSTANT_US, Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtoanalytics.bundle.files import EvidenceFile

_MAY_BE_NAN = frozenset({("metrics", "value")})
"""Prometheus knows NaN and infinity; everywhere else they stand for a division that went wrong."""
_ORDERED = {"log_scans": ("from_offset", "to_offset"), "watermarks": ("log_start_offset", "log_end_offset")}
"""Pairs of offsets of which the first is never above the second."""


@dataclass(frozen=True)
class Rule:
    """One thing that no row of a table may do."""

    column: str
    offends: str
    """True for a row that breaks the rule."""
    found: str
    """What stands there, as SQL text that gives a VARCHAR."""
    allowed: str
    clearance: str
    """An aggregate over all rows that is false where a row breaks the rule; null where there is no value to look at.

    Counting the rows that do tells the same; most rules have something that is far cheaper.
    """


@dataclass(frozen=True)
class _Place:
    """One column as it stands in one file."""

    column: Column
    x: str
    """The column as SQL."""
    reading: Reading
    found_type: pa.DataType

    @property
    def instant(self) -> str:
        """An instant of any unit in the one that instants can be compared in."""
        return f"CAST({self.x} AS TIMESTAMPTZ)"

    @property
    def shown(self) -> str:
        """What stands there, as text that does not depend on the session's time zone."""
        if self.column.kind is Kind.INSTANT:
            return f"CAST({self.instant} AT TIME ZONE 'UTC' AS VARCHAR) || ' UTC'"
        return f"CAST({self.x} AS VARCHAR)"

    def rule(self, offends: str, allowed: str, *, found: str = "", clearance: str = "") -> Rule:
        """A rule about this column; cleared by counting where nothing cheaper is given."""
        allowed = f"{allowed} ({self.column.meaning})"
        return Rule(self.column.name, offends, found or self.shown, allowed, clearance or f"{count_of(offends)} = 0")


def count_of(condition: str) -> str:
    """How many rows a condition is true for, as an aggregate. What stands behind an AND is left out where it can be."""
    return f"count(CASE WHEN {condition} THEN 1 END)"


def rules_of(table: Table, file: EvidenceFile) -> list[Rule]:
    """Every rule that the values of a file (and of all files alike) must hold to.

    Columns that cannot be read have no rules: their footer is refused already.
    """
    places = {column.name: place for column in table.columns if (place := _place(column, file))}
    return [
        *(rule for place in places.values() for rule in _column_rules(table, place, places)),
        *_ordered_rules(table, places),
    ]


def _place(column: Column, file: EvidenceFile) -> _Place | None:
    found_type = file.columns.get(column.name, pa.null())
    if pa.types.is_null(found_type):
        null = null_of(column.kind)
        return None if column.is_required else _Place(column, null, Reading(null), found_type)
    try:
        reading = reading_of(column, found_type)
    except RefusedTypeError:
        return None
    return _Place(column, f"captured.{quoted(column.name)}", reading, found_type)


def _column_rules(table: Table, place: _Place, places: dict[str, _Place]) -> Iterator[Rule]:
    yield from _presence_rules(place, places)
    if pa.types.is_null(place.found_type):
        return
    yield from _loss_rules(place)
    yield from _range_rules(place)
    yield from _value_rules(place)
    if (table.name, place.column.name) not in _MAY_BE_NAN:
        yield from _finite_rules(place)


def _presence_rules(place: _Place, places: dict[str, _Place]) -> Iterator[Rule]:
    if place.column.is_required:
        present = f"count({place.x}) = count(*)"
        yield place.rule(f"{place.x} IS NULL", "required", found="'null'", clearance=present)
    other, _, value = place.column.required_when.partition("=")
    if other in places:
        condition = f"{place.x} IS NULL AND {places[other].x} = {text_literal(value)}"
        yield place.rule(condition, f"required where {other} is {value}", found=f"'null where {other} is {value}'")


def _loss_rules(place: _Place) -> Iterator[Rule]:
    if not place.reading.loss:
        return
    shown = f"CAST(epoch_ns({place.x}) AS VARCHAR) || ' ns'" if place.column.kind is Kind.INSTANT else place.shown
    condition = place.reading.loss.replace("{x}", place.x)
    yield place.rule(condition, f"a {place.found_type} column may hold {place.reading.kept}", found=shown)


def _range_rules(place: _Place) -> Iterator[Rule]:
    column, x = place.column, place.x
    if column.kind is Kind.INSTANT:
        yield _instant_rule(place)
    if column.minimum is not None:
        low, wrong, right = ("more than", "<=", ">") if column.is_minimum_exclusive else ("at least", "<", ">=")
        least = column.minimum
        yield place.rule(f"{x} {wrong} {least}", f"{low} {least}", clearance=f"min({x}) {right} {least}")
    if column.maximum is not None:
        most = column.maximum
        yield place.rule(f"{x} > {most}", f"at most {most}", clearance=f"max({x}) <= {most}")


def _instant_rule(place: _Place) -> Rule:
    first, last = (f"make_timestamptz({instant})" for instant in (FIRST_INSTANT_US, LAST_INSTANT_US))
    x = place.instant
    return place.rule(
        f"{x} < {first} OR {x} >= {last}",
        "instants from 1970-01-01 to 2199-12-31",
        clearance=f"min({x}) >= {first} AND max({x}) < {last}",
    )


def _value_rules(place: _Place) -> Iterator[Rule]:
    if place.column.values:
        allowed = ", ".join(map(text_literal, place.column.values))
        # Of a column that is stored with a dictionary, DuckDB calls a function for each entry, not for each row.
        known = f"count(list_position([{allowed}], {place.x})) = count({place.x})"
        one_of = "one of " + ", ".join(place.column.values)
        yield place.rule(f"{place.x} NOT IN ({allowed})", one_of, clearance=known)


def _finite_rules(place: _Place) -> Iterator[Rule]:
    if place.column.kind is Kind.DOUBLE and pa.types.is_floating(place.found_type):
        yield place.rule(f"NOT isfinite({place.x})", "a finite number, or null for not known")


def _ordered_rules(table: Table, places: dict[str, _Place]) -> Iterator[Rule]:
    low, high = _ORDERED.get(table.name, ("", ""))
    if low in places and high in places:
        start, end = places[low], places[high]
        found = f"{start.shown} || ', and {high} ' || {end.shown}"
        yield start.rule(f"{start.x} > {end.x}", f"at most {high}", found=found)
