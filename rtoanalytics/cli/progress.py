"""How far an analysis has come: one line on a terminal, nothing anywhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console, RenderableType
    from rich.progress import Task

    from rtoanalytics.engines.progress import Step

_FIRST_SECONDS = 3.0
"""Before this nothing is said of the time left: the first steps tell little of the others."""
_FIRST_SHARE = 0.05
_CALM_SECONDS = 10.0
"""How long an estimate takes to replace the one before."""
_TO_THE_SECOND, _TO_TEN_SECONDS = 20, 100
_REFRESHES_A_SECOND = 4


class TimeLeft:
    """How long work still takes, from the share that is done: calm, and silent as long as there is little to go by."""

    def __init__(self) -> None:
        self._ends_at: float | None = None
        self._told_at = 0.0

    def seconds(self, elapsed: float, share: float) -> float | None:
        """Seconds left after `elapsed` seconds in which `share` of the work, 0 to 1, was done; None while unknown.

        Each new estimate moves what was said before by a part only, the less the shorter ago that was.

        >>> left = TimeLeft()
        >>> left.seconds(1.0, 0.5) is None
        True
        >>> left.seconds(4.0, 0.5)
        4.0
        >>> left.seconds(6.5, 0.5)
        2.75
        """
        if elapsed < _FIRST_SECONDS or share < _FIRST_SHARE:
            return None
        ends_at = elapsed / min(share, 1.0)
        if self._ends_at is None:
            self._ends_at, self._told_at = ends_at, elapsed
        weight = min(1.0, (elapsed - self._told_at) / _CALM_SECONDS)
        self._ends_at += weight * (ends_at - self._ends_at)
        self._told_at = elapsed
        return max(0.0, self._ends_at - elapsed)


def told_seconds(seconds: float) -> str:
    """Seconds as people say them, no finer than they are known.

    >>> told_seconds(7.6), told_seconds(48), told_seconds(200), told_seconds(4000)
    ('8 s', '50 s', '3 min', '1 h 7 min')
    """
    if seconds < _TO_THE_SECOND:
        return f"{seconds:.0f} s"
    if seconds < _TO_TEN_SECONDS:
        return f"{round(seconds, -1):.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class Share:
    """The share of one analysis that is done. `tell` is what `analyze_bundle` tells its steps to, in any thread."""

    def __init__(self) -> None:
        self.words = "starting"
        self._step: Step | None = None
        self._done = 0.0

    def tell(self, step: Step) -> None:
        """A step begins."""
        self._step, self.words = step, step.words

    def done(self) -> float:
        """Share of the work, 0 to 1; never less than it was before."""
        step = self._step
        if step:
            self._done = max(self._done, step.begins + (step.ends - step.begins) * step.within())
        return self._done


class _Remaining(ProgressColumn):
    """The time left, in words."""

    def __init__(self, left: TimeLeft) -> None:
        super().__init__()
        self._left = left

    def render(self, task: Task) -> Text:
        """The column of one task."""
        left = self._left.seconds(task.elapsed or 0.0, task.completed)
        return Text("" if left is None else f"{told_seconds(left)} left")


class _Bar(Progress):
    """One bar, whose share and words are asked for whenever it is drawn."""

    share: Share

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn."""
        for task in self.tasks:
            task.completed = self.share.done()
            task.fields["step"] = self.share.words
        yield from super().get_renderables()


@contextmanager
def shown_progress(console: Console, name: str) -> Iterator[Callable[[Step], None]]:
    """A line about the analysis of a bundle of that name, gone when the block ends; to be told the steps."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        _Remaining(TimeLeft()),
        TextColumn("{task.fields[step]}", markup=False),
    )
    share = Share()
    bar = _Bar(*columns, console=console, transient=True, refresh_per_second=_REFRESHES_A_SECOND)
    bar.share = share
    bar.add_task(name, total=1.0, step=share.words)
    with bar:
        yield share.tell
