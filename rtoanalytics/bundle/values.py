"""Check the values of evidence: nulls, domains, instants, and numbers that a cast would change."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from rtoanalytics.bundle.rules import Rule, count_of, rules_of
from rtoanalytics.bundle.select import alike_files, from_files, path_read, row_number
from rtoanalytics.bundle.sql import quoted, text_literal
from rtoanalytics.errors import Problem
from rtoanalytics.schemas import TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rtoanalytics.bundle.files import Bundle, EvidenceFile

_EXAMPLES = 3
"""Rows shown of each kind of offense; the first says how many there are."""
_SHOWN_CHARACTERS = 80
_DAMAGED = "damaged, or text that is not UTF-8: copy or write the file again, or remove it"

_LEFT_OUT = "disabled_optimizers"
"""Setting of DuckDB: parts of its optimizer that it leaves out."""

_NOT_THE_FILES = (
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
)
"""Failures that say nothing about the evidence."""


@dataclass(frozen=True)
class _Example:
    """One offending row."""

    file: str
    row: int | None
    found: str


@dataclass(frozen=True)
class _Offense:
    """Rows of some files of one table that break one rule."""

    rule: Rule
    count: int
    examples: list[_Example]


def check_values(
    connection: duckdb.DuckDBPyConnection, bundle: Bundle, known: Collection[str] = frozenset()
) -> list[Problem]:
    """Every kind of value in the evidence that is outside its domain or cannot be read, with the first rows of each.

    Files whose names are `known` were found to be in order before and are not read.
    """
    unread = {name: [file for file in files if file.name not in known] for name, files in bundle.files.items()}
    return file_problems(connection, unread)


def file_problems(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[EvidenceFile]]) -> list[Problem]:
    """What `check_values` tells, of files by table. Columns whose type is refused already are passed over."""
    return [
        problem for name, captured in files.items() for problem in _table_problems(connection, TABLES[name], captured)
    ]


def _table_problems(
    connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[EvidenceFile]
) -> list[Problem]:
    offenses: dict[tuple[str, str], list[_Offense]] = {}
    problems: list[Problem] = []
    for alike in alike_files(files, list(table.by_name)):
        found, damage = _check_alike(connection, table, alike)
        problems += damage
        for offense in found:
            offenses.setdefault((offense.rule.column, offense.rule.allowed), []).append(offense)
    return [*problems, *(problem for same in offenses.values() for problem in _report(same))]


def _check_alike(
    connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[EvidenceFile]
) -> tuple[list[_Offense], list[Problem]]:
    """Offenses in files whose columns have the same types, and the files that break while they are read."""
    try:
        return _offenses(connection, table, files), []
    except _NOT_THE_FILES:
        raise
    except duckdb.Error:
        parts = [_check_alone(table, file) for file in files]
    return [offense for found, _ in parts for offense in found], [problem for _, found in parts for problem in found]


def _check_alone(table: Table, file: EvidenceFile) -> tuple[list[_Offense], list[Problem]]:
    """The same of one file, on a connection of its own: after some kinds of damage DuckDB refuses all further work."""
    try:
        with duckdb.connect() as own:
            return _offenses(own, table, [file]), []
    except _NOT_THE_FILES:
        raise
    except duckdb.Error as error:
        return [], _damage_problems(table, file, error)


def _offenses(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[EvidenceFile]) -> list[_Offense]:
    rules = rules_of(table, files[0])
    if not rules or not any(file.rows for file in files):
        return []
    with by_values_alone(connection):
        broken = _broken(connection, rules, files)
        counts = _asked(connection, [count_of(rule.offends) for rule in broken], files)
        return [
            _Offense(rule, count, _examples(connection, rule, files))
            for rule, count in zip(broken, counts, strict=True)
            if count
        ]


def _broken(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], files: Sequence[EvidenceFile]) -> list[Rule]:
    """The rules that some row may break: those that one look at all rows does not clear."""
    cleared = _asked(connection, [f"coalesce({rule.clearance}, true)" for rule in rules], files)
    return [rule for rule, is_clear in zip(rules, cleared, strict=True) if not is_clear]


def _asked(
    connection: duckdb.DuckDBPyConnection, aggregates: Sequence[str], files: Sequence[EvidenceFile]
) -> tuple[Any, ...]:
    """Aggregates over all rows of files; nothing is read for none."""
    if not aggregates:
        return ()
    (answers,) = connection.sql(f"SELECT {', '.join(aggregates)} {from_files(files)}").fetchall()
    return tuple(answers)


@contextmanager
def by_values_alone(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have DuckDB look at values, not take for true what footers say of nulls and of smallest and largest values."""
    ((before,),) = connection.sql(f"SELECT current_setting('{_LEFT_OUT}')").fetchall()
    connection.execute(f"SET {_LEFT_OUT} = 'statistics_propagation'")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # after some kinds of damage it refuses all further work
            connection.execute(f"SET {_LEFT_OUT} = {text_literal(before)}")


def _examples(connection: duckdb.DuckDBPyConnection, rule: Rule, files: Sequence[EvidenceFile]) -> list[_Example]:
    """The first offending rows, by file and row.

    An aggregate with a FILTER and no WHERE: DuckDB checks that against the statistics in the footer, which leave NaN
    out, and so would skip the very rows that are looked for.
    """
    names = {str(file.path): file.name for file in files}
    row = f"struct_pack(path := {path_read(files)}, row_in_file := {row_number(files[0])}, found := {rule.found})"
    first = f"unnest(min({row}, {_EXAMPLES}) FILTER (WHERE {rule.offends}), recursive := true)"
    rows = connection.sql(f"SELECT {first} {from_files(files, with_source=True)}").fetchall()
    return [_Example(names[path], row_in_file, found) for path, row_in_file, found in rows]


def _report(offenses: Sequence[_Offense]) -> list[Problem]:
    """The first examples of one kind of offense; the first of them tells how many rows there are."""
    rule = offenses[0].rule
    count = sum(offense.count for offense in offenses)
    examples = sorted((example for offense in offenses for example in offense.examples), key=_position)[:_EXAMPLES]
    more = f" (the first of {count} such rows)" if count > 1 else ""
    return [
        Problem(_where(rule, example), _shortened(example.found) + (more if index == 0 else ""), rule.allowed)
        for index, example in enumerate(examples)
    ]


def _position(example: _Example) -> tuple[str, int]:
    return (example.file, -1 if example.row is None else example.row)


def _where(rule: Rule, example: _Example) -> str:
    row = "" if example.row is None else f", row {example.row}"
    return f"{example.file}, column {rule.column}{row}"


def _shortened(found: str) -> str:
    """Text from a file, made safe for a terminal: it may hold anything."""
    printable = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in found)
    return printable if len(printable) <= _SHOWN_CHARACTERS else printable[: _SHOWN_CHARACTERS - 1] + "…"


def _damage_problems(table: Table, file: EvidenceFile, error: duckdb.Error) -> list[Problem]:
    """Which listed columns of a file cannot be read to the end; the file itself when each alone can be."""
    broken = [column.name for column in table.columns if not _is_readable(file, column.name)]
    where = [f"{file.name}, column {name}" for name in broken] or [file.name]
    return [Problem(place, f"cannot be read ({_shortened(str(error).splitlines()[0])})", _DAMAGED) for place in where]


def _is_readable(file: EvidenceFile, column_name: str) -> bool:
    if pa.types.is_null(file.columns.get(column_name, pa.null())):
        return True
    try:
        with duckdb.connect() as own:
            own.sql(f"SELECT max(hash(captured.{quoted(column_name)})) {from_files([file])}").fetchall()
    except duckdb.Error:
        return False
    return True
