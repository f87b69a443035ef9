"""Find, read and order the files in queries/. One file answers one question; its name is what it returns.

A file is a header of comments (question, Measure, Grain, Reads, Parameters, Returns, Method) and one statement. Where
an engine can say it better in its own words, <query>.<engine>.sql stands beside it.
Queries form a chain: what a query reads is evidence, the drill definition, or what another query returns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from rtoanalytics.errors import DefectError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GRID = "steps"
"""The relation of whole steps since the epoch, which an engine lays …"""
GRID_ENDS = "capture_window"
"""… between the two ends that this query returns."""

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE / "queries", _PACKAGE.parent / "queries")
_FIELDS = ("Measure", "Grain", "Reads", "Parameters", "Returns", "Method")
_FIELD = re.compile(rf"^({'|'.join(_FIELDS)}):\s*(.*)$")


@dataclass(frozen=True)
class ReturnedColumn:
    """One column of a query's answer."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Query:
    """One question, its answer's shape, and the statement that answers it."""

    name: str
    question: str
    measures: tuple[str, ...]
    grain: str
    reads: tuple[str, ...]
    returns: tuple[ReturnedColumn, ...]
    method: str
    sql: str
    own_words: Mapping[str, str]
    """By engine: a statement that answers the same in words which only that engine understands."""

    def sql_for(self, engine: str) -> str:
        """The statement that an engine runs."""
        return self.own_words.get(engine, self.sql)


@cache
def load_queries() -> Mapping[str, Query]:
    """Every query by name, in alphabetical order. Raises DefectError when the installation lacks them."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    if folder is None:
        msg = f"no queries found in {' or '.join(map(str, _FOLDERS))}; install rtoanalytics again"
        raise DefectError(msg)
    texts = {path.name.removesuffix(".sql"): path.read_text("utf-8") for path in sorted(folder.glob("*.sql"))}
    queries = [parse_query(name, text, _own_words(name, texts)) for name, text in texts.items() if "." not in name]
    return MappingProxyType({query.name: query for query in queries})


def parse_query(name: str, text: str, own_words: Mapping[str, str] = MappingProxyType({})) -> Query:
    """One query from the text of its file. Raises DefectError when the header lacks a field."""
    lines = text.splitlines()
    header = [line[2:].strip() for line in _leading_comments(lines)]
    fields: dict[str, list[str]] = {"Question": []}
    current = "Question"
    for line in header:
        match = _FIELD.match(line)
        if match:
            current = match[1]
            fields[current] = [match[2]] if match[2] else []
        else:
            fields[current].append(line)
    missing = [field for field in _FIELDS if field not in fields]
    if missing:
        msg = f"queries/{name}.sql: header lacks {', '.join(missing)}"
        raise DefectError(msg)
    return Query(
        name=name,
        question=" ".join(fields["Question"]),
        measures=_listed(fields["Measure"]),
        grain=" ".join(fields["Grain"]),
        reads=_listed(fields["Reads"]),
        returns=tuple(_returned(line) for line in fields["Returns"]),
        method=" ".join(fields["Method"]),
        sql="\n".join(lines[len(header) :]).strip() + "\n",
        own_words=own_words,
    )


def _own_words(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Statements of the files that stand beside a query's own, as <query>.<engine>.sql, by engine."""
    return {other.removeprefix(f"{name}."): text for other, text in texts.items() if other.startswith(f"{name}.")}


def in_order(queries: Mapping[str, Query], wanted: Iterable[str] | None = None) -> tuple[Query, ...]:
    """Queries such that each comes after those it reads: all of them, or those that `wanted` needs.

    Ties are broken by name, so that every run has the same order. Raises DefectError on a cycle.
    """
    names = set(queries) if wanted is None else _needed(queries, wanted)
    graph = {name: sorted(_before(queries[name]) & names) for name in sorted(names)}
    try:
        return tuple(queries[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        msg = f"queries read each other in a circle: {' → '.join(error.args[1])}"
        raise DefectError(msg) from None


def _needed(queries: Mapping[str, Query], wanted: Iterable[str]) -> set[str]:
    needed: set[str] = set()
    waiting = [name for name in wanted if name in queries]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [read for read in _before(queries[name]) if read in queries]
    return needed


def _before(query: Query) -> set[str]:
    return {GRID_ENDS if read == GRID else read for read in query.reads}


def _leading_comments(lines: list[str]) -> list[str]:
    count = next((index for index, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return lines[:count]


def _listed(lines: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in " ".join(lines).split(",") if part.strip())


def _returned(line: str) -> ReturnedColumn:
    name, type_, meaning = line.split(maxsplit=2)
    return ReturnedColumn(name, type_, meaning)
