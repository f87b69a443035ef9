"""`rto sql`: look behind any number of a bundle."""

from __future__ import annotations

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtoanalytics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from rtoanalytics.sql_session import Session


_PLAIN_WIDTH = 100
"""Columns of text where nothing says how wide the reader's screen is."""


class Format(StrEnum):
    """How answers are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def sql(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a drill.")],
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="A statement, or the name of a relation. Without: a prompt.")
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="How to answer (default: table on a terminal, else csv).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the answer.")
    ] = None,
    tables: Annotated[bool, typer.Option("--tables", help="List every relation with the question it answers.")] = False,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every relation into a new DuckDB file.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory an engine may take, e.g. 4GB; more is spilled to disk.")
    ] = None,
) -> None:
    """Ask a bundle in SQL: evidence, every step of the computation, and the results, each a relation. Read-only."""
    if database is not None:
        _refuse(query is not None or tables or output is not None, "--database stands alone: it writes every relation")
        _write_database(bundle, database, memory_limit)
        return
    _refuse(form is Format.PARQUET and output is None, "--format parquet needs --output FILE")
    from rtoanalytics.sql_session import CATALOG, open_session

    with open_session(bundle, memory_limit=memory_limit) as session:
        chosen = form or _usual_format(output)
        answer = _answering(session, chosen, output)
        if tables:
            _refuse(query is not None, "--tables stands alone: it lists every relation")
            answer(CATALOG)
        elif query is not None:
            _run(session, query, output, answer)
        else:
            _talk(session, output, answer)


def _usual_format(output: Path | None) -> Format:
    """By the name of the output file, else by who reads."""
    if output is not None:
        return {".json": Format.JSON, ".parquet": Format.PARQUET, ".txt": Format.TABLE}.get(output.suffix, Format.CSV)
    return Format.TABLE if sys.stdout.isatty() else Format.CSV


def _answering(session: Session, form: Format, output: Path | None) -> Callable[[str], None]:
    """What is done with each statement."""
    from rtoanalytics.cli.sql_answers import write_catalog, write_text
    from rtoanalytics.sql_session import CATALOG, one_clear_message

    width = shutil.get_terminal_size().columns if output is None and sys.stdout.isatty() else None

    def answer(statement: str) -> None:
        if statement == CATALOG and form is Format.TABLE and output is None:
            write_catalog(session.relations.values(), sys.stdout, width or _PLAIN_WIDTH)
            return
        found = session.ask(statement)
        with one_clear_message(session.relations):
            if output is None:
                write_text(found, form.value, sys.stdout, width)
            else:
                _write(found, form, output)

    return answer


def _write(answer: duckdb.DuckDBPyRelation, form: Format, output: Path) -> None:
    """Write an answer to a file, whole or not at all, and print its path."""
    from rtoanalytics.cli.sql_answers import write_parquet, write_text

    building = output.with_name(f".{output.name}.tmp")
    try:
        if form is Format.PARQUET:
            write_parquet(answer, building)
        else:
            with building.open("w", encoding="utf-8", newline="") as file:
                write_text(answer, form.value, file)
        building.replace(output)
    except OSError as error:
        msg = f"{output}: cannot be written ({error.strerror})"
        raise UsageError(msg) from None
    finally:
        building.unlink(missing_ok=True)
    print(output)


def _run(session: Session, query: str, output: Path | None, answer: Callable[[str], None]) -> None:
    statements = [query] if query.strip().lower() in session.relations else session.statements(query)
    _refuse(not statements, "QUERY holds no statement")
    _refuse(output is not None and len(statements) > 1, "--output takes the answer to one statement")
    for statement in statements:
        answer(statement)


def _talk(session: Session, output: Path | None, answer: Callable[[str], None]) -> None:
    from rtoanalytics.cli.sql_prompt import run_prompt, run_script

    _refuse(output is not None, "--output needs a QUERY")
    if sys.stdin.isatty():
        run_prompt(session, answer)
    else:
        run_script(session, sys.stdin, answer)


def _write_database(bundle: Path, path: Path, memory_limit: str | None) -> None:
    from rtoanalytics.sql_session import write_database

    count = write_database(bundle, path, memory_limit=memory_limit)
    print(f"{count} relations", file=sys.stderr)
    print(path)


def _refuse(is_wrong: bool, message: str) -> None:
    if is_wrong:
        raise UsageError(message)
