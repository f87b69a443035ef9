"""Progress goes forward only, from nothing to all, and its bar stays off where nobody looks."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.cli.progress import Share, TimeLeft, shown_progress
from rtoanalytics.engines.progress import Step
from tests.core.cli.endings import rto
from tests.core.scorecard.passing import passing_drill

if TYPE_CHECKING:
    from pathlib import Path


def test_steps_follow_each_other_from_nothing_to_all(tmp_path: Path) -> None:
    """Each step begins where the one before ended, together they are the whole, and each has words."""
    steps: list[Step] = []
    shares: list[float] = []

    def tell(step: Step) -> None:
        steps.append(step)
        shares.append(step.within())

    analyze_bundle(passing_drill().write(tmp_path / "bundle"), watch=tell)
    assert steps[0].begins == 0.0
    assert steps[-1].ends == pytest.approx(1.0)
    assert all(step.begins == pytest.approx(before.ends) for before, step in pairwise(steps))
    assert all(step.words and step.begins <= step.ends for step in steps)
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert {"checking every value", "the ledger", "lag", "comparing with the seal", "writing results"} <= {
        step.words for step in steps
    }


def test_the_share_never_goes_back() -> None:
    """An engine that starts to count anew inside a step moves nothing back."""
    within = iter([0.5, 0.2, 1.0])
    share = Share()
    share.tell(Step("lag", 0.2, 0.6, lambda: next(within)))
    assert [share.done() for _ in range(3)] == pytest.approx([0.4, 0.4, 0.6])


def test_the_time_left_is_calm() -> None:
    """Work that goes on evenly counts down evenly; a step that stalls moves what is said, but slowly."""
    left = TimeLeft()
    even = [left.seconds(elapsed, elapsed / 100) for elapsed in range(1, 51)]
    assert even[:4] == [None] * 4
    assert even[4:] == pytest.approx([100 - elapsed for elapsed in range(5, 51)])
    stalled = [left.seconds(elapsed, 0.5) or 0.0 for elapsed in range(51, 56)]
    assert all(abs(after - before) < 2 for before, after in pairwise([50.0, *stalled]))


def test_a_bar_shows_the_step_and_the_share() -> None:
    """On a terminal: the bundle, the share and the words of the step, gone when the work is done."""
    written_to = io.StringIO()
    with shown_progress(Console(file=written_to, force_terminal=True, width=100), "payments [drill]") as tell:
        tell(Step("the ledger", 0.25, 0.75, lambda: 0.5))
    written = written_to.getvalue()
    assert "payments [drill]" in written
    assert "50%" in written
    assert "the ledger" in written


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nothing_is_drawn_where_nobody_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    """Into a file or a pipe goes what is said, and no bar."""
    ending = rto(capsys, "analyze", *options, passing_drill().write(tmp_path / "bundle"))
    assert "%" not in ending.talk
    assert "\x1b" not in ending.talk
