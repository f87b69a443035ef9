"""Which Parquet types a column may have, and the SQL that reads each without losing anything.

A `Reading` holds two pieces of SQL about one column: its value in the contract's type, and the condition under which
that value would not be the one that was written. The condition is checked by `values.check_values`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import types

from rtoanalytics.schemas import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

SQL_TYPES: Mapping[Kind, str] = {
    Kind.STRING: "VARCHAR",
    Kind.NAME: "VARCHAR",
    Kind.INT32: "INTEGER",
    Kind.INT64: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.BOOL: "BOOLEAN",
    Kind.INSTANT: "TIMESTAMPTZ",
    Kind.LABELS: "MAP(VARCHAR, VARCHAR)",
}

MAX_DECIMAL_DIGITS = 38
"""DuckDB reads wider decimals as doubles."""

# Every smaller integer has a floating-point number of its own; the next one shares it with its neighbor.
_EXACT_INTEGERS = {16: 2**11 - 1, 32: 2**24 - 1, 64: 2**53 - 1}


@dataclass(frozen=True)
class Reading:
    """How one column of one file is read. Both texts hold `{x}` where the column stands."""

    value: str
    """The value in the contract's type."""
    loss: str = ""
    """True for a value that the cast would change; empty when no value can be."""
    kept: str = ""
    """What `loss` allows, in words."""


class RefusedTypeError(Exception):
    """A type that does not cast without loss. The message says what is allowed."""


def reading_of(column: Column, found: pa.DataType) -> Reading:
    """How a column that stands in a file as `found` is read; RefusedTypeError when it cannot be."""
    if types.is_dictionary(found):
        return reading_of(column, found.value_type)
    if types.is_null(found):
        return Reading(null_of(column.kind))
    reading = _READERS[column.kind](column.kind, found)
    if reading is None:
        raise RefusedTypeError(_allowed(column, found))
    return reading


def null_of(kind: Kind) -> str:
    """A null of the type of `kind`."""
    return f"CAST(NULL AS {SQL_TYPES[kind]})"


def _read_text(_: Kind, found: pa.DataType) -> Reading | None:
    return Reading("CAST({x} AS VARCHAR)") if is_text(found) else None


def _read_integer(kind: Kind, found: pa.DataType) -> Reading | None:
    cast = f"CAST({{x}} AS {SQL_TYPES[kind]})"
    fits = f"{{x}} IS NOT NULL AND TRY_CAST({{x}} AS {SQL_TYPES[kind]}) IS NULL"
    if types.is_integer(found):
        return Reading(cast) if _holds(kind, found) else Reading(cast, fits, f"an {kind.value}")
    if types.is_floating(found):
        largest = _EXACT_INTEGERS[found.bit_width]
        # NaN is greater than every number in DuckDB, so the comparison refuses it too.
        whole = f"abs({{x}}) <= {largest} AND {{x}} = trunc({{x}})"
        return Reading(cast, f"NOT ({whole}) OR ({fits})", f"whole numbers up to {largest}, or write {kind.value}")
    if _is_readable_decimal(found):
        return Reading(cast, f"{{x}} <> trunc({{x}}) OR ({fits})", f"whole numbers that fit {kind.value}")
    return None


def _read_double(_: Kind, found: pa.DataType) -> Reading | None:
    if types.is_floating(found):
        # DuckDB skips row groups by statistics that leave NaN out, and so would lose NaN from a WHERE on this column:
        # the answer would depend on how rows are spread over files. It does not look through this CASE.
        return Reading("CASE WHEN isnan({x}) THEN CAST('nan' AS DOUBLE) ELSE CAST({x} AS DOUBLE) END")
    if not types.is_integer(found):
        return None
    largest = _EXACT_INTEGERS[64]
    loss = f"{{x}} NOT BETWEEN -{largest} AND {largest}" if found.bit_width > 32 else ""  # noqa: PLR2004
    return Reading("CAST({x} AS DOUBLE)", loss, f"integers up to {largest}, or write double")


def _read_bool(_: Kind, found: pa.DataType) -> Reading | None:
    return Reading("{x}") if types.is_boolean(found) else None


def _read_instant(_: Kind, found: pa.DataType) -> Reading | None:
    if not types.is_timestamp(found) or found.tz is None:
        return None
    if found.unit == "ns":
        return Reading("CAST({x} AS TIMESTAMPTZ)", "epoch_ns({x}) % 1000 <> 0", "whole microseconds")
    return Reading("{x}")


def _read_labels(_: Kind, found: pa.DataType) -> Reading | None:
    names_once = "len({names}) <> len(list_distinct({names}))"
    kept = "each label name once"
    if types.is_map(found) and is_text(found.key_type) and is_text(found.item_type):
        return Reading("{x}", names_once.replace("{names}", "map_keys({x})"), kept)
    if not (types.is_list(found) or types.is_large_list(found)) or not _is_pair(found.value_type):
        return None
    pairs = "list_transform({x}, lambda pair: struct_pack(k := pair.key, v := pair.value))"
    # list_distinct leaves nulls out: a null name or a null pair is refused as well.
    names = "list_transform({x}, lambda pair: pair.key)"
    return Reading(f"map_from_entries({pairs})", names_once.replace("{names}", names), kept)


_READERS = {
    Kind.STRING: _read_text,
    Kind.NAME: _read_text,
    Kind.INT32: _read_integer,
    Kind.INT64: _read_integer,
    Kind.DOUBLE: _read_double,
    Kind.BOOL: _read_bool,
    Kind.INSTANT: _read_instant,
    Kind.LABELS: _read_labels,
}


def is_text(found: pa.DataType) -> bool:
    """Whether a type is text, in any of Arrow's layouts."""
    if types.is_dictionary(found):
        return is_text(found.value_type)
    return bool(types.is_string(found) or types.is_large_string(found) or types.is_string_view(found))


def _holds(kind: Kind, found: pa.DataType) -> bool:
    """Whether every value of an integer type fits."""
    bits = 32 if kind is Kind.INT32 else 64
    return bool(found.bit_width < bits or (found.bit_width == bits and types.is_signed_integer(found)))


def _is_readable_decimal(found: pa.DataType) -> bool:
    return bool(types.is_decimal(found) and found.precision <= MAX_DECIMAL_DIGITS)


def _is_pair(found: pa.DataType) -> bool:
    if not types.is_struct(found):
        return False
    fields = {field.name: field.type for field in found}
    return set(fields) == {"key", "value"} and all(map(is_text, fields.values()))


def _allowed(column: Column, found: pa.DataType) -> str:
    wanted = column.arrow_type
    if column.kind is Kind.INSTANT and types.is_timestamp(found):
        return f"an instant without time zone cannot be told from local time; write {wanted}"
    if column.kind is Kind.INSTANT and types.is_integer(found):
        return f"a number does not say its unit or its epoch; write {wanted}"
    if column.kind in {Kind.INT32, Kind.INT64}:
        return f"write {wanted}, or any other numeric type that holds whole numbers"
    return f"write {wanted}"
