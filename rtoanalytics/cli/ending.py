"""End a command that Ctrl-C or SIGTERM stopped with one line and the exit status that shells expect."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOPPED = 128
"""A shell sees 128 and the number of the signal."""


class _Terminated(KeyboardInterrupt):
    """SIGTERM: everything that Ctrl-C cleans up is cleaned up."""


@contextmanager
def one_line_when_stopped(stands: str) -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does; then say in one line what `stands`, and leave with 130 or 143.

    Outside the main thread of a process, where no signal arrives, the block is only run.
    """
    try:
        before = signal.signal(signal.SIGTERM, _terminate)
    except ValueError:
        yield
        return
    try:
        yield
    except KeyboardInterrupt as stopped:
        word, number = ("terminated", 15) if isinstance(stopped, _Terminated) else ("interrupted", 2)
        print(f"rto: {word}; {stands}", file=sys.stderr)
        raise typer.Exit(_STOPPED + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> NoReturn:
    raise _Terminated
