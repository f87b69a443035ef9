"""Read the footer of one evidence file: which columns it has, of which types, and whether they can be read at all."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from rtoanalytics.bundle.casts import RefusedTypeError, reading_of
from rtoanalytics.bundle.files import EvidenceFile, relative_name
from rtoanalytics.errors import Problem, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.schemas import Column, Table

_WHOLE_FILE = "a whole Parquet file must stand here: copy it again, or remove it if its capture never finished"


def read_footer(root: Path, path: Path, table: Table) -> tuple[EvidenceFile | None, list[Problem]]:
    """One file of a table as its footer describes it, and everything in that description that is refused."""
    where = relative_name(root, path)
    try:
        footer = pq.read_metadata(path)
        schema = footer.schema.to_arrow_schema()
        str(schema)  # a damaged name of a time zone shows only when it is decoded
    except (pa.ArrowException, OSError, ValueError) as error:
        return None, [Problem(where, _unreadable(path, error), _WHOLE_FILE)]
    problems = _name_problems(where, schema.names)
    if problems:
        return None, problems
    columns = MappingProxyType(dict(zip(schema.names, schema.types, strict=True)))
    file = EvidenceFile(path, where, footer.num_rows, columns)
    return file, [problem for column in table.columns for problem in _column_problems(file, column)]


def _unreadable(path: Path, error: Exception) -> str:
    try:
        size = path.stat().st_size
    except OSError:
        size = None
    if size == 0:
        return "empty (0 bytes)"
    return f"not a readable Parquet file of {size} bytes ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _name_problems(where: str, names: list[str]) -> list[Problem]:
    """Column names that SQL, which does not tell upper from lower case, could confuse."""
    counts = Counter(name.lower() for name in names)
    twice = [name for name in names if counts[name.lower()] > 1]
    if not twice:
        return []
    found = "columns " + ", ".join(f'"{name}"' for name in twice)
    return [Problem(where, f"{found} differ in nothing or only in case", "rename all but one")]


def _column_problems(file: EvidenceFile, column: Column) -> list[Problem]:
    where = f"{file.name}, column {column.name}"
    if column.name not in file.columns:
        return _absence_problems(where, file, column)
    found = file.columns[column.name]
    try:
        reading_of(column, found)
    except RefusedTypeError as error:
        return [Problem(where, f"type {found}", str(error))]
    if column.is_required and pa.types.is_null(found) and file.rows:
        allowed = f"required: {column.meaning} ({column.arrow_type})"
        return [Problem(where, f"null in all {file.rows} rows", allowed)]
    return []


def _absence_problems(where: str, file: EvidenceFile, column: Column) -> list[Problem]:
    other_case = next((name for name in file.columns if name.lower() == column.name), None)
    if other_case:
        return [Problem(where, f'named "{other_case}"', f'rename it to "{column.name}"')]
    if not column.is_required:
        return []
    found = f"missing{nearest(column.name, file.columns)}"
    return [Problem(where, found, f"required: {column.meaning} ({column.arrow_type})")]
