"""What `rto` offers, asked of the program itself; and docs/command-line.md, made from the answer.

`python -m tests.house.command_line --write` (or `make docs`) writes the page anew; a test holds the file to it.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from rtoanalytics.cli.main import app
from rtoanalytics_collectors.subcommands import BundleOrSubcommand
from tests.house.evidence_tables import markdown_row

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"
COMMANDS = re.compile(r"(?<=<!-- commands -->\n).*?(?=<!-- end of commands -->)", re.DOTALL)


@cache
def commands() -> Mapping[str, TyperCommand]:
    """The commands of `rto` by name, in the order in which it lists them; subcommands after their command."""
    root, context = _root()
    found = {name: root.get_command(context, name) for name in root.list_commands(context)}
    return {
        part: each
        for name, command in found.items()
        for part, each in ({name: command} if isinstance(command, TyperCommand) else _parts(name, command)).items()
    }


@cache
def options_by_command() -> Mapping[str, frozenset[str]]:
    """The options of each command of `rto`, with their dashes; short forms and --help are left out."""
    return {
        name: frozenset(
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--") and option != "--help"
        )
        for name, command in commands().items()
    }


def rewritten(document: str) -> str:
    """The document with the commands as the program has them now."""
    text = "\n".join(section(name) for name in commands())
    return COMMANDS.sub(text.replace("\\", r"\\"), document)


def section(name: str) -> str:
    """One command: what it does, how it is called, its arguments and options."""
    command = commands()[name]
    context = typer.Context(command, info_name=name, parent=_root()[1])
    records = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    rows = [markdown_row(f"`{without_type(form)}`", re.sub(r"\s+", " ", meaning)) for form, meaning in records]
    table = ["", markdown_row("argument or option", "meaning"), "|---|---|", *rows] if rows else []
    return "\n".join([f"## rto {name}", "", command.help or "", *table, ""])


def without_type(form: str) -> str:
    """How an argument is written, without the Python type behind its name; options keep what they take."""
    return form if form.startswith("-") else re.sub(r" <.*>$", "", form)


def _parts(name: str, group: object) -> Mapping[str, TyperCommand]:
    """A command that runs by default, under the name of its group, and the subcommands beside it."""
    assert isinstance(group, BundleOrSubcommand)
    return {
        name if part == group.DEFAULT else f"{name} {part}": command
        for part, command in group.commands.items()
        if isinstance(command, TyperCommand)
    }


def _root() -> tuple[TyperGroup, typer.Context]:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    return root, typer.Context(root, info_name="rto")


def main() -> None:
    """Write the document anew, or say whether it is current."""
    parser = argparse.ArgumentParser(description="The commands in docs/command-line.md.")
    parser.add_argument("--write", action="store_true", help="write them; without it, exit 1 if they are out of date")
    document = DOCUMENT.read_text(encoding="utf-8")
    if parser.parse_args().write:
        DOCUMENT.write_text(rewritten(document), encoding="utf-8")
    elif rewritten(document) != document:
        sys.exit(f"{DOCUMENT.name} is out of date: make docs")


if __name__ == "__main__":
    main()
