"""Answers of `rto sql` as a table, CSV, JSON or Parquet. Instants are ISO 8601 with Z, nulls are empty (JSON: null)."""

from __future__ import annotations

import csv
import json
import math
import re
import textwrap
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from rtoanalytics.sql_session import Relation

MAX_TABLE_ROWS = 1_000
"""Most rows a table shows; the other formats write them all."""
MAX_CELL = 72
"""Columns on screen of one cell of a table."""
_BATCH_ROWS = 50_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def write_table(answer: duckdb.DuckDBPyRelation, file: IO[str], width: int | None = None) -> None:
    """Aligned columns, numbers to the right; one value a line where a row is wider than `width` columns."""
    columns, rows, is_cut = _first_rows(answer)
    cells = [[shown(value) for value in row] for row in rows]
    widths = [max(map(_columns, column)) for column in zip(columns, *cells, strict=True)]
    is_wide = width is not None and sum(widths) + 2 * (len(widths) - 1) > width
    numeric = [_is_numeric([row[index] for row in rows]) for index in range(len(columns))]
    for line in _upright(columns, cells) if is_wide else _aligned(columns, cells, widths, numeric):
        print(line.rstrip(), file=file)
    more = f", the first {MAX_TABLE_ROWS:,} shown; --format csv writes them all" if is_cut else ""
    count = f"more than {MAX_TABLE_ROWS:,}" if is_cut else f"{len(rows):,}"
    print(f"({count} {'row' if count == '1' else 'rows'}{more})", file=file)


def write_catalog(relations: Iterable[Relation], file: IO[str], width: int) -> None:
    """Relations by kind, each with the question it answers, wrapped to `width` columns."""
    listed = list(relations)
    indent = max(len(relation.name) for relation in listed) + 4
    for kind in dict.fromkeys(relation.kind for relation in listed):
        print(f"{kind}", file=file)
        for relation in listed:
            if relation.kind == kind:
                first, *rest = textwrap.wrap(relation.question, max(20, width - indent)) or [""]
                print(f"  {relation.name:{indent - 2}}{first}", file=file)
                file.writelines(f"{' ' * indent}{line}\n" for line in rest)


def write_csv(answer: duckdb.DuckDBPyRelation, file: IO[str]) -> None:
    """Comma-separated values with a header; lines end with a line feed."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in _rows(answer):
        writer.writerow([text(value) for value in row])


def write_json(answer: duckdb.DuckDBPyRelation, file: IO[str]) -> None:
    """One array, one object a row and line. A column name that repeats gets a number: `a`, `a_2`."""
    names = unique(answer.columns)
    separator = "[\n"
    for row in _rows(answer):
        file.write(separator + json.dumps(dict(zip(names, map(_json, row), strict=True)), ensure_ascii=False))
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def write_parquet(answer: duckdb.DuckDBPyRelation, path: Path) -> None:
    """A Parquet file; instants as timestamp[us, tz=UTC]."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    reader = answer.to_arrow_reader(_BATCH_ROWS)
    schema = pa.schema(
        [field.with_name(name) for name, field in zip(unique(answer.columns), reader.schema, strict=True)]
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))


def text(value: object) -> str:
    """A value as text.

    >>> text(datetime(2026, 11, 20, 10, tzinfo=UTC)), text(None), text(True), text(1.5)
    ('2026-11-20T10:00:00Z', '', 'true', '1.5')
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() | int() | float() | Decimal():
            return str(value)
        case datetime():
            return _instant(value)
        case _:
            plain = _json(value)
            return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def shown(value: object) -> str:
    """A value as one cell of a table: no control characters, no endless text."""
    cell = _CONTROL.sub(" ", text(value))
    return cell if len(cell) <= MAX_CELL else cell[: MAX_CELL - 1] + "…"


def unique(names: list[str]) -> list[str]:
    """Names with `_2`, `_3`, … where they repeat.

    >>> unique(["a", "b", "a"])
    ['a', 'b', 'a_2']
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def _rows(answer: duckdb.DuckDBPyRelation) -> Iterator[tuple[Any, ...]]:
    for batch in answer.to_arrow_reader(_BATCH_ROWS):
        yield from _rows_of(batch)


def _rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _first_rows(answer: duckdb.DuckDBPyRelation) -> tuple[list[str], list[tuple[Any, ...]], bool]:
    rows = list(_rows(answer.limit(MAX_TABLE_ROWS + 1)))
    return answer.columns, rows[:MAX_TABLE_ROWS], len(rows) > MAX_TABLE_ROWS


def _aligned(columns: list[str], cells: list[list[str]], widths: list[int], numeric: list[bool]) -> Iterator[str]:
    def line(row: list[str]) -> str:
        return "  ".join(_padded(*cell) for cell in zip(row, widths, numeric, strict=True))

    yield line(columns)
    yield "  ".join("─" * width for width in widths)
    yield from map(line, cells)


def _upright(columns: list[str], cells: list[list[str]]) -> Iterator[str]:
    width = max(map(_columns, columns))
    for number, row in enumerate(cells, start=1):
        yield f"── row {number} ──"
        yield from (f"{_padded(name, width, False)}  {cell}" for name, cell in zip(columns, row, strict=True))  # noqa: FBT003


def _padded(cell: str, width: int, is_number: bool) -> str:
    room = " " * (width - _columns(cell))
    return room + cell if is_number else cell + room


def _columns(cell: str) -> int:
    from rich.cells import cell_len

    return cell_len(cell)


def _is_numeric(values: list[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in known
    )


def _instant(value: datetime) -> str:
    """ISO 8601; with Z if it has a zone."""
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: object) -> Any:  # noqa: ANN401, PLR0911  (whatever JSON holds; one line a type)
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return _instant(value)
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case dict():
            return {str(key): _json(item) for key, item in value.items()}
        case list() if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):  # noqa: PLR2004
            return {text(key): _json(item) for key, item in value}  # Arrow gives a map as pairs
        case list():
            return [_json(item) for item in value]
        case _:
            return str(value)


def write_text(answer: duckdb.DuckDBPyRelation, form: str, file: IO[str], width: int | None = None) -> None:
    """Write the answer as `table`, `csv` or `json`."""
    match form:
        case "csv":
            write_csv(answer, file)
        case "json":
            write_json(answer, file)
        case _:
            write_table(answer, file, width)
