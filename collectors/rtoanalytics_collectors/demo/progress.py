"""What the demo shows while it runs, on standard error: phases, and rows per collector."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self

from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

_REFRESHES_PER_SECOND = 4


class Progress(Protocol):
    """Is told what happens."""

    def phase(self, text: str) -> None:
        """A phase of the drill begins."""
        ...

    def note(self, text: str) -> None:
        """Something happened."""
        ...


class Silent:
    """Shows nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class Shown:
    """A live display on a terminal, plain lines elsewhere. Use as a context manager."""

    def __init__(self, console: Console, rows: Callable[[], dict[str, int]]) -> None:
        """`rows` gives the rows captured so far, by evidence table; called from a thread."""
        self._console = console
        self._rows = rows
        self._started = time.monotonic()
        self._phase = ""
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=_REFRESHES_PER_SECOND, transient=True
        )

    def phase(self, text: str) -> None:
        """A phase of the drill begins."""
        self._phase = text
        self._line(text, "bold")

    def note(self, text: str) -> None:
        """Something happened."""
        self._line(f"  {text}", "")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def _line(self, text: str, style: str) -> None:
        seconds = time.monotonic() - self._started
        self._console.print(
            Text(f"{seconds:5.1f} s  ", style="dim").append(text, style=style), highlight=False, soft_wrap=True
        )

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 3))
        for _ in range(_COLUMNS):
            table.add_column()
        cells = [f"{name:<16} [bold]{count:>8,}[/]" for name, count in sorted(self._rows().items())]
        for start in range(0, len(cells), _COLUMNS):
            table.add_row(*cells[start : start + _COLUMNS])
        table.title = f"{self._phase} · {time.monotonic() - self._started:.0f} s"
        table.title_style = "bold"
        return table


_COLUMNS = 3
