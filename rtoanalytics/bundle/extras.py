"""Columns beyond the contract: the types in which sealing keeps them, and how the types of several files become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import types

from rtoanalytics.bundle.casts import MAX_DECIMAL_DIGITS, RefusedTypeError, is_text
from rtoanalytics.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtoanalytics.bundle.files import EvidenceFile
    from rtoanalytics.schemas import Table

_MOVE_OUT = "write one type in every file, or leave the column out"


def extra_columns(table: Table, files: Sequence[EvidenceFile]) -> tuple[dict[str, pa.DataType], list[Problem]]:
    """The columns that files have beyond those of their table, by name in order, and those that cannot be kept."""
    kept: dict[str, pa.DataType] = {}
    problems: list[Problem] = []
    for file in files:
        for name in sorted(file.columns.keys() - table.by_name.keys()):
            try:
                kept[name] = _with_file(kept, name, file)
            except RefusedTypeError as error:
                problems.append(Problem(f"{file.name}, column {name}", str(error), _MOVE_OUT))
    return {name: kept[name] for name in sorted(kept)}, problems


def carried_type(found: pa.DataType) -> pa.DataType:
    """The type in which DuckDB hands a column on with every value unchanged; RefusedTypeError when there is none."""
    if types.is_dictionary(found):
        return carried_type(found.value_type)
    composed = _composed_type(found)
    if composed is not None:
        return composed
    for is_kind, carried in _CARRIED:
        if is_kind(found):
            return carried(found)
    msg = f"type {found} cannot be kept without loss"
    raise RefusedTypeError(msg)


def _with_file(kept: dict[str, pa.DataType], name: str, file: EvidenceFile) -> pa.DataType:
    other_case = next((other for other in kept if other != name and other.lower() == name.lower()), None)
    if other_case:
        msg = f'differs only in case from "{other_case}" of another file'
        raise RefusedTypeError(msg)
    found = carried_type(file.columns[name])
    return _unified(kept.get(name, found), found)


def _unified(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds every value of both."""
    if one.equals(other) or types.is_null(other):
        return one
    if types.is_null(one):
        return other
    for is_kind in (types.is_signed_integer, types.is_unsigned_integer, types.is_floating):
        if is_kind(one) and is_kind(other):
            return max(one, other, key=lambda found: found.bit_width)
    msg = f"type {other}, but {one} in another file"
    raise RefusedTypeError(msg)


def _composed_type(found: pa.DataType) -> pa.DataType | None:
    if types.is_map(found):
        return pa.map_(carried_type(found.key_type), carried_type(found.item_type))
    if types.is_list(found) or types.is_large_list(found):
        return pa.list_(carried_type(found.value_type))
    if types.is_struct(found):
        return pa.struct([pa.field(field.name, carried_type(field.type)) for field in found])
    if types.is_timestamp(found):
        zone = "UTC" if found.tz else None
        return pa.timestamp("ns", zone) if found.unit == "ns" else pa.timestamp("us", zone)
    return None


def _is_bytes(found: pa.DataType) -> bool:
    kinds = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(is_kind(found) for is_kind in kinds)


def _is_plain(found: pa.DataType) -> bool:
    kinds = (types.is_null, types.is_boolean, types.is_integer, types.is_float32, types.is_float64, types.is_date32)
    return any(is_kind(found) for is_kind in kinds)


def _is_narrow_decimal(found: pa.DataType) -> bool:
    return bool(types.is_decimal(found) and found.precision <= MAX_DECIMAL_DIGITS)


_CARRIED = (
    (_is_plain, lambda found: found),
    (is_text, lambda _: pa.string()),
    (_is_bytes, lambda _: pa.binary()),
    (types.is_float16, lambda _: pa.float32()),
    (_is_narrow_decimal, lambda found: pa.decimal128(found.precision, found.scale)),
)
