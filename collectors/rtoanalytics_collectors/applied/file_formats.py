"""Files of effects: what each format has grown by since it was last read."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from rtoanalytics.errors import ClusterError

_READ_BYTES = 32 * 1024 * 1024
_READ_ROWS = 200_000
_QUIET_SECONDS = 5.0
"""A last line without its newline counts as written when its file has not changed for this long."""


@dataclass(frozen=True)
class Growth:
    """What a file has grown by."""

    effects: pa.Table
    """Rows in the file's own columns; CSV as text."""
    mark: int
    """Where to go on."""
    is_at_end: bool
    """Whether all that can be read now was read."""
    is_complete: bool = True
    """Whether nothing was left over, such as the beginning of a line."""


Read = Callable[[Path, int, int], Growth]
"""Reads a file from a mark (0 for its beginning), of which so many rows were read. Raises ClusterError or OSError."""


def reader_of(path: Path) -> Read:
    """How a file is read, by the ending of its name. Raises ClusterError for one that is not known."""
    if path.suffix not in _READERS:
        msg = f"{path.as_posix()} is no file of effects; allowed endings: {', '.join(_READERS)}"
        raise ClusterError(msg)
    return _READERS[path.suffix]


def _read_parquet(path: Path, mark: int, rows: int) -> Growth:
    """`mark` is the next row group; a file that is being written has no footer yet and is an answer for later."""
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows < rows:
                raise ClusterError(_shrank(path, f"{rows} rows", f"{file.metadata.num_rows}"))
            if mark >= file.num_row_groups:
                return Growth(file.schema_arrow.empty_table(), mark, is_at_end=True)
            return Growth(file.read_row_group(mark), mark + 1, is_at_end=mark + 1 == file.num_row_groups)
    except pa.ArrowException as error:
        msg = f"{path.as_posix()} cannot be read as Parquet (yet): {error}"
        raise ClusterError(msg) from None


def _read_csv(path: Path, mark: int, rows: int) -> Growth:  # noqa: ARG001  (one signature for all)
    """`mark` is a byte. The first line holds the names; a line break inside quotes ends no line."""
    header = _header(path)
    if header is None:
        return Growth(pa.table({}), 0, is_at_end=True, is_complete=False)
    content, is_at_end = _content(path, max(mark, len(header)))
    end = _whole_csv(content, is_final=is_at_end and _is_quiet(path))
    return Growth(
        _csv_table(path, header, content[:end]),
        max(mark, len(header)) + end,
        is_at_end=is_at_end or end == 0,
        is_complete=end == len(content),
    )


def _read_json_lines(path: Path, mark: int, rows: int) -> Growth:
    """`mark` is a byte. A last line without its newline is whole when it is an object: no part of one is."""
    content, is_at_end = _content(path, mark)
    end = content.rfind(b"\n") + 1
    if end < len(content) and is_at_end and _is_object(content[end:]):
        end = len(content)
    objects = [_object(path, line) for line in content[:end].split(b"\n") if line.strip()]
    names = dict.fromkeys(name for found in objects for name in found) or {"": None}  # objects of nothing are rows too
    columns = {name: _column([found.get(name) for found in objects]) for name in names}
    del rows
    return Growth(pa.table(columns), mark + end, is_at_end=is_at_end or end == 0, is_complete=end == len(content))


_READERS: dict[str, Read] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json_lines,
}


def _content(path: Path, mark: int) -> tuple[bytes, bool]:
    """Bytes from `mark` on, and whether they are all there are."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if size < mark:
            raise ClusterError(_shrank(path, f"{mark} bytes", f"{size}"))
        file.seek(mark)
        content = file.read(_READ_BYTES)
    return content, mark + len(content) >= size


def _header(path: Path) -> bytes | None:
    with path.open("rb") as file:
        line = file.readline()
    return line if line.endswith(b"\n") else None


def _whole_csv(content: bytes, *, is_final: bool) -> int:
    """Length of the whole lines: up to the last line break that is not inside quotes."""
    if is_final and content.count(b'"') % 2 == 0:
        return len(content)
    end = len(content)
    while (end := content.rfind(b"\n", 0, end)) >= 0:
        if content.count(b'"', 0, end) % 2 == 0:
            return end + 1
    return 0


def _csv_table(path: Path, header: bytes, lines: bytes) -> pa.Table:
    try:
        names = pc.read_csv(io.BytesIO(header)).column_names
        text = pc.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        )
        parse = pc.ParseOptions(newlines_in_values=True)
        return pc.read_csv(io.BytesIO(header + lines), parse_options=parse, convert_options=text)
    except pa.ArrowException as error:
        msg = f"{path.as_posix()} cannot be read as CSV: {error}"
        raise ClusterError(msg) from None


def _is_quiet(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _QUIET_SECONDS


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _object(path: Path, line: bytes) -> dict[str, Any]:
    if not _is_object(line):
        start = line[:60].decode(errors="replace")
        msg = f"{path.as_posix()}: a line is no JSON object: {start!r}; allowed: one object a line"
        raise ClusterError(msg)
    found: dict[str, Any] = json.loads(line)
    return found


def _column(values: list[Any]) -> pa.Array[Any]:
    """Values in the type that they share; as text where they share none."""
    try:
        shared: pa.Array[Any] = pa.array(values)
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    return shared


def _shrank(path: Path, before: str, now: str) -> str:
    return (
        f"{path.as_posix()} was written anew: {before} were read, it has {now}; files of effects may only grow, "
        "write new effects to a new file"
    )
