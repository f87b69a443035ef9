"""`rto app`: start the app on bundles, or on folders that hold bundles."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from rtoanalytics.errors import MissingDependencyError, UsageError

_LAST_PORT = 65_535


def app(
    places: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[BUNDLE or FOLDER...]",
            help="Folders of drills, or folders that hold them at any depth (default: drills/, else the current one).",
            show_default=False,
        ),
    ] = None,
    address: Annotated[
        str,
        typer.Option(help="Where to listen. Anything but loopback shows the drills to everybody who can reach it."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser", help="Open a browser on the page.")] = False,
) -> None:
    """Show drills in the browser: the library, one drill from its scorecard to its evidence, comparison, live view.

    Runs until Ctrl-C. Nothing leaves the machine.
    """
    if find_spec("streamlit") is None:
        what = "rto app"
        raise MissingDependencyError(what, "app")
    from rtoanalytics_app.server import arguments, environment

    if not 1 <= port <= _LAST_PORT:
        msg = f"--port is {port}; allowed are 1 to {_LAST_PORT}"
        raise UsageError(msg)
    shown = [_existing(place) for place in places or [_default()]]
    command = [sys.executable, *arguments(address, port, is_browser_opened=browser)]
    sys.stdout.flush()
    # The server takes the place of this process: whoever stops the one has stopped the other.
    os.execve(sys.executable, command, {**os.environ, **environment(shown)})  # noqa: S606


def _existing(place: Path) -> Path:
    if not place.is_dir():
        found = "a file" if place.exists() else "no such folder"
        msg = f"{place}: {found}; name bundles (folders with a drill.yaml), or folders that hold bundles"
        raise UsageError(msg)
    return place.resolve()


def _default() -> Path:
    return Path("drills") if Path("drills").is_dir() else Path()
