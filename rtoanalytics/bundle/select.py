"""One SELECT over all files of a table: contract names, contract types, schema order, whatever the files look like."""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from rtoanalytics.bundle.casts import SQL_TYPES, Reading, null_of, reading_of
from rtoanalytics.bundle.sql import path_literal, quoted, text_literal
from rtoanalytics.schemas import TABLES, Column, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rtoanalytics.bundle.files import EvidenceFile

SOURCE_FILE = "evidence_file"
"""Column of `with_source`: the path that was read."""
SOURCE_ROW = "evidence_row"
"""Column of `with_source`: the row in that file, from 0; null where the file has a `file_row_number` of its own."""

_ROW_NUMBER = "file_row_number"  # DuckDB's virtual column; a real column of that name hides it


def evidence_select(
    table_name: str,
    files: Sequence[EvidenceFile],
    *,
    with_source: bool = False,
    constants: Mapping[str, str | None] = MappingProxyType({}),
) -> str:
    """The text of one SELECT that yields every row of `files` with every listed column of the table.

    Each instant comes twice: as `…_at TIMESTAMPTZ` and, right after it, as `…_us BIGINT` (microseconds since the
    epoch). Columns that a file does not have are nulls of their type. Nothing is deduplicated or ordered. Files must
    have passed `open_bundle`; values must have passed `check_values`, otherwise a cast may fail or round. Columns among
    `constants` are not read: every row is taken to have that text, or null.
    """
    columns = TABLES[table_name].columns
    if not files:
        nulls = [_named(column, Reading(null_of(column.kind))) for column in columns]
        return _select(nulls, "WHERE false", with_source)
    groups = alike_files(files, list(TABLES[table_name].by_name))
    return "\nUNION ALL\n".join(_select_alike(columns, alike, with_source, constants) for alike in groups)


def microseconds_name(instant_name: str) -> str:
    """The name under which queries find an instant as microseconds: `acked_at` → `acked_us`."""
    return instant_name.removesuffix("_at") + "_us"


def alike_files(files: Iterable[EvidenceFile], column_names: Sequence[str]) -> Iterator[list[EvidenceFile]]:
    """The files in groups in which the named columns have the same types, so that one SELECT reads them."""

    def signature(file: EvidenceFile) -> tuple[str, ...]:
        return (*(str(file.columns.get(name)) for name in column_names), row_number(file))

    for _, group in groupby(sorted(files, key=lambda file: (signature(file), file.name)), key=signature):
        yield list(group)


def readings(columns: Iterable[Column], file: EvidenceFile) -> dict[str, Reading]:
    """How each listed column is read from a file, by name, with the column written into both texts."""
    return {column.name: _reading(column, file) for column in columns}


def from_files(files: Sequence[EvidenceFile], *, with_source: bool = False) -> str:
    """A FROM clause over files, read by their exact names: no globbing, no columns out of folder names."""
    options = f", filename = '{_free_name(files)}'" if with_source else ""
    paths = ", ".join(path_literal(str(file.path)) for file in files)
    return f"FROM read_parquet([{paths}], hive_partitioning = false{options}) AS captured"


def path_read(files: Sequence[EvidenceFile]) -> str:
    """The path a row was read from, as SQL over `from_files(files, with_source=True)`."""
    return f"captured.{_free_name(files)}"


def _free_name(files: Sequence[EvidenceFile]) -> str:
    """A name for the path that no column of the files has."""
    taken = {name.lower() for file in files for name in file.columns}
    name = SOURCE_FILE
    while name in taken:
        name += "_"
    return name


def row_number(file: EvidenceFile) -> str:
    """The number of a row in its file, as SQL; a null where a column of the file hides it."""
    is_hidden = any(name.lower() == _ROW_NUMBER for name in file.columns)
    return "CAST(NULL AS BIGINT)" if is_hidden else f"captured.{_ROW_NUMBER}"


def _reading(column: Column, file: EvidenceFile) -> Reading:
    found = file.columns.get(column.name)
    if found is None:
        return Reading(null_of(column.kind))
    general = reading_of(column, found)
    place = f"captured.{quoted(column.name)}"
    return Reading(general.value.replace("{x}", place), general.loss.replace("{x}", place), general.kept)


def _select_alike(
    columns: Sequence[Column],
    files: Sequence[EvidenceFile],
    with_source: bool,  # noqa: FBT001
    constants: Mapping[str, str | None],
) -> str:
    read = readings(columns, files[0])
    read |= {column.name: _constant(column, constants[column.name]) for column in columns if column.name in constants}
    selected = [_named(column, read[column.name]) for column in columns]
    source = (path_read(files), row_number(files[0]))
    return _select(selected, from_files(files, with_source=with_source), with_source, source)


def _constant(column: Column, text: str | None) -> Reading:
    return Reading(null_of(column.kind) if text is None else f"CAST({text_literal(text)} AS {SQL_TYPES[column.kind]})")


def _named(column: Column, reading: Reading) -> str:
    selected = f"{reading.value} AS {quoted(column.name)}"
    if column.kind is not Kind.INSTANT:
        return selected
    return f"{selected}, epoch_us({reading.value}) AS {quoted(microseconds_name(column.name))}"


def _select(
    selected: list[str],
    source: str,
    with_source: bool,  # noqa: FBT001
    places: tuple[str, str] = ("CAST(NULL AS VARCHAR)", "CAST(NULL AS BIGINT)"),
) -> str:
    if with_source:
        selected = [*selected, f"{places[0]} AS {SOURCE_FILE}", f"{places[1]} AS {SOURCE_ROW}"]
    return "SELECT\n    " + ",\n    ".join(selected) + "\n" + source
