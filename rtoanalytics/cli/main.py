"""`rto`: find the subcommands, run one, and turn how it ended into an exit status.

This module alone owns exit statuses: 0 pass or done, 1 fail, 2 inconclusive, 3 could not run, 130 interrupted.
Standard output is the answer, standard error is talk.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from rtoanalytics import __version__
from rtoanalytics.cli.analyze import analyze
from rtoanalytics.cli.bundles import check, init, schema, seal, verify
from rtoanalytics.cli.compare import compare
from rtoanalytics.cli.places import refuse_stores
from rtoanalytics.cli.report import report
from rtoanalytics.cli.sql import sql
from rtoanalytics.errors import RtoError

PASSED, FAILED, INCONCLUSIVE, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 3, 130
TRACEBACK_VARIABLE = "RTO_TRACEBACK"

app = typer.Typer(
    name="rto",
    help="Turn a Kafka resilience drill into evidence: capture it, reconcile it, judge it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        print(f"rto {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


for _command in (init, schema, check, analyze, report, compare, sql, seal, verify):
    app.command()(_command)
for _point in sorted(entry_points(group="rtoanalytics.commands"), key=lambda point: point.name):
    _found = _point.load()
    if isinstance(_found, typer.Typer):  # a command with subcommands
        app.add_typer(_found, name=_point.name)
    else:
        app.command(name=_point.name)(_found)


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run `rto` and leave the process with its exit status. Never shows a traceback unless RTO_TRACEBACK is set."""
    sys.exit(exit_status(arguments))


def exit_status(arguments: list[str] | None = None) -> int:
    """Run `rto` with arguments (default: those of the process; none: --help) and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        refuse_stores(given)
        status: Any = app(args=given or ["--help"], standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except TyperException as error:
        return _say(_usage(error), COULD_NOT_RUN)
    except RtoError as error:
        return _say(str(error), COULD_NOT_RUN)
    except BrokenPipeError:
        # The reader of our answer went away (rto … | head): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PASSED
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        return _say(
            f"internal error: {type(error).__name__}: {error}\n"
            f"This is a defect of rtoanalytics. {TRACEBACK_VARIABLE}=1 shows where; please report it with the bundle.",
            COULD_NOT_RUN,
        )
    return status if isinstance(status, int) else PASSED


def _say(message: str, status: int) -> int:
    print(f"rto: {message}", file=sys.stderr)
    return status


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    hint = f"\nTry: {context.command_path} --help" if context else ""
    return f"{error.format_message()}{hint}"
