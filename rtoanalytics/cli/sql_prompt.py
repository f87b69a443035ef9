"""The prompt of `rto sql`, and the same without one where statements come from a pipe."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rtoanalytics.errors import RtoError, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rtoanalytics.sql_session import Session

PROMPT, CONTINUED = "rto> ", "...> "
COMMANDS = {
    ".tables": "list every relation",
    ".schema": "NAME: columns of a relation",
    ".quit": "end",
    ".help": "this list",
}
_MAX_HISTORY = 1_000
_OPAQUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$", re.DOTALL)
_OPENED = re.compile(r"['\"]|/\*|\$\$")


def is_finished(text: str) -> bool:
    """Whether a text ends a statement: with a semicolon outside of quotes and comments.

    >>> is_finished("select 1;"), is_finished("select ';"), is_finished("select 1; -- more"), is_finished("select 1")
    (True, False, True, False)
    """
    rest = _OPAQUE.sub(lambda match: "" if match[0].startswith(("--", "/*")) else "x", text)
    return rest.rstrip().endswith(";") and not _OPENED.search(rest)


def entries(lines: Iterable[str]) -> Iterator[str]:
    """What is entered, line by line, as whole entries: dot commands, and statements up to their semicolon."""
    waiting = ""
    for line in lines:
        if not waiting.strip() and line.strip().startswith("."):
            yield line.strip()
            continue
        waiting += line.rstrip("\n") + "\n"
        if is_finished(waiting):
            yield waiting.strip()
            waiting = ""
    if _OPAQUE.sub("", waiting).strip():
        yield waiting.strip()


def run_script(session: Session, lines: Iterable[str], answer: Callable[[str], None]) -> None:
    """Run entries one by one; the first that fails ends it."""
    for entry in entries(lines):
        if not run_entry(session, entry, answer):
            return


def run_prompt(session: Session, answer: Callable[[str], None]) -> None:
    """Ask for entries until the end; one that fails says why, and the next is asked for."""
    print("Statements end with ; and .help lists what else there is.", file=sys.stderr)
    with _history():
        for entry in entries(_typed()):
            try:
                if not run_entry(session, entry, answer):
                    return
            except RtoError as error:
                print(f"rto: {error}", file=sys.stderr)
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)


def run_entry(session: Session, entry: str, answer: Callable[[str], None]) -> bool:
    """Run one entry and tell whether more may follow. Raises UsageError for an unknown dot command."""
    command, _, argument = entry.partition(" ")
    match command.lower():
        case ".quit" | ".exit":
            return False
        case ".tables":
            answer("relations")
        case ".schema":
            answer(schema_statement(session, argument.strip()))
        case ".help":
            print("\n".join(f"{name:8} {meaning}" for name, meaning in COMMANDS.items()))
        case name if name.startswith("."):
            msg = f"no command {name}{nearest(name, COMMANDS)}; .help lists them"
            raise UsageError(msg)
        case _:
            for statement in session.statements(entry):
                answer(statement)
    return True


def schema_statement(session: Session, name: str) -> str:
    """The statement that tells the columns of a relation. Raises UsageError for an unknown name."""
    if name.lower() not in session.relations:
        msg = f'no relation "{name}"{nearest(name.lower(), session.relations)}; .tables lists them all'
        raise UsageError(msg)
    return f'select column_name as "column", column_type as type from (describe "{name.lower()}")'  # noqa: S608  (known)


def state_folder() -> Path:
    """Where the history stands: the user's own state, and nowhere else."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "rtoanalytics"


class _history:  # noqa: N801  (used like a function)
    """Lines typed before, kept in the user's state; without readline, or where it cannot be written, there is none."""

    def __enter__(self) -> None:
        with suppress(ImportError, OSError):
            import readline

            readline.set_history_length(_MAX_HISTORY)
            readline.read_history_file(state_folder() / "sql_history")

    def __exit__(self, *_: object) -> None:
        with suppress(ImportError, OSError):
            import readline

            state_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            readline.write_history_file(state_folder() / "sql_history")


def _typed() -> Iterator[str]:
    """Lines typed at the prompt; Ctrl-C drops what was begun, Ctrl-D ends."""
    waiting = ""
    while True:
        try:
            line = input(CONTINUED if waiting.strip() else PROMPT)
        except EOFError:
            print()
            return
        waiting = "" if is_finished(waiting + line) or line.strip().startswith(".") else waiting + line + "\n"
        yield line
