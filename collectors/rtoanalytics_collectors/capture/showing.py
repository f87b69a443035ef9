"""A capture as people see it while it runs, on standard error: a live line per collector, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from rtoanalytics_collectors.clocks import now_us

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from rtoanalytics_collectors.capture.run import Capture, Running
    from rtoanalytics_collectors.log_records import ScanProgress

LINE_SECONDS = 10.0
"""Between two reports where standard error is no terminal."""
_REFRESHES_PER_SECOND = 2
_RATE_SECONDS = 5.0


class Rate:
    """Rows a second over the last seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def of(self, rows: int, now: float) -> float:
        """Take the rows so far and give the rate."""
        self._seen.append((now, rows))
        while now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.pop(0)
        began, first = self._seen[0]
        return (rows - first) / (now - began) if now > began else 0.0


class Shown:
    """Shows a capture. Use as a context manager; call `tell` now and then."""

    def __init__(self, capture: Capture, console: Console) -> None:
        self._capture = capture
        self._console = console
        self._rates = [Rate() for _ in capture.running]
        self._told: dict[str, str] = {}
        self._reported_at = time.monotonic()
        self._live = Live(
            console=console, get_renderable=self.table, refresh_per_second=_REFRESHES_PER_SECOND, transient=True
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self) -> None:
        """Say what is new: collectors that could not start, failures that changed; from time to time how it goes."""
        for running, rate in zip(self._capture.running, self._rates, strict=True):
            rate.of(running.loop.counts.rows, time.monotonic())
            self._tell_failure(running)
        if not self._console.is_terminal and time.monotonic() - self._reported_at >= LINE_SECONDS:
            self._reported_at = time.monotonic()
            self.report()

    def report(self) -> None:
        """One plain line a collector."""
        for running, rate in zip(self._capture.running, self._rates, strict=True):
            self.say("  ".join(cell for cell in _cells(running, rate) if cell))

    def table(self) -> Table:
        """One row a collector."""
        table = Table.grid(padding=(0, 2))
        for _ in range(_COLUMNS):
            table.add_column(no_wrap=True, overflow="ellipsis")
        for running, rate in zip(self._capture.running, self._rates, strict=True):
            cells = _cells(running, rate)
            style = "" if _is_well(running) else "yellow" if running.guard.refusal is None else "red"
            table.add_row(*(Text(cell, style=style) for cell in cells))
        return table

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(Text(text), highlight=False, soft_wrap=True)

    def _tell_failure(self, running: Running) -> None:
        """Each failure in words once, when it is new; on a terminal the live line has it."""
        name, refusal = running.planned.name, running.guard.refusal
        if refusal is not None and self._told.get(name) != refusal:
            self._told[name] = refusal
            self.say(f"{name} could not start: {refusal}")
        elif refusal is None and not self._console.is_terminal:
            failure = "" if _is_well(running) else running.loop.counts.last_failure or ""
            if failure and self._told.get(name) != failure:
                self.say(f"{name}: {failure}")
            self._told[name] = failure


def _is_well(running: Running) -> bool:
    """Whether the collector has looked within its last three intervals."""
    last = running.loop.counts.last_beat_at
    return last is not None and now_us() - last <= 3 * running.loop.interval_seconds * 1_000_000


_COLUMNS = 6


def _cells(running: Running, rate: Rate) -> tuple[str, ...]:
    counts = running.loop.counts
    failure = "" if _is_well(running) else running.guard.refusal or counts.last_failure or "connecting"
    return (
        running.planned.name,
        f"{counts.rows:,} rows",
        f"{rate.of(counts.rows, time.monotonic()):,.0f}/s",
        _age(counts.last_beat_at),
        f"{counts.holes} holes" if counts.holes != 1 else "1 hole",
        failure,
    )


def _age(last_beat_at: int | None) -> str:
    if last_beat_at is None:
        return "no heartbeat yet"
    return f"heartbeat {max(0.0, (now_us() - last_beat_at) / 1e6):.1f} s ago"


class ReadingShown:
    """Shows how logs are read back: a bar a partition on a terminal, plain lines elsewhere. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]:,.0f} records/s"),
            console=console,
            transient=True,
        )
        self._tasks: dict[tuple[str, str, int], TaskID] = {}
        self._reported_at = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, cluster: str, progress: ScanProgress) -> None:
        """A batch of a partition was read."""
        key = (cluster, progress.topic, progress.partition)
        place = f"{cluster} {progress.topic}-{progress.partition}"
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(place, total=None, rate=0.0)
        self._progress.update(
            self._tasks[key],
            completed=progress.next_offset,
            total=progress.to_offset,
            rate=progress.records_per_second,
        )
        if not self._console.is_terminal and time.monotonic() - self._reported_at >= LINE_SECONDS:
            self._reported_at = time.monotonic()
            text = f"{place}: offset {progress.next_offset:,} of {progress.to_offset:,}"
            self._console.print(Text(text), highlight=False, soft_wrap=True)
