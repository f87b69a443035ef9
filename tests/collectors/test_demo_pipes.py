"""Programs of the demo and their pipes: none outlives the drill, and the end of one is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.demo.pipes import Child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STUCK = """
import threading
from rtoanalytics_collectors.demo import pipes
pipes._GRACE_SECONDS = 0.1
pipes.Orders()
pipes.report(ready=True)
threading.Event().wait()
"""
ECHO = """
from rtoanalytics_collectors.demo.pipes import HANG_UP, Orders, report
orders = Orders()
while (order := orders.wait()) != HANG_UP:
    report(heard=order)
"""
FAULTY = "raise SystemExit('no such thing as a free lunch')"


def start(folder: Path, patch: pytest.MonkeyPatch, program: str) -> tuple[Child, list[dict[str, Any]]]:
    """A child that runs a program, and what it reports."""
    (folder / "program_of_a_test.py").write_text(program)
    patch.syspath_prepend(str(folder))
    reports: list[dict[str, Any]] = []
    return Child("program_of_a_test", folder, reports.append), reports


def test_orders_are_heard_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every order arrives, in its order, and hanging up ends the program."""
    child, reports = start(tmp_path, monkeypatch, ECHO)
    for number in range(20):
        child.order(do="say", number=number)
    child.close()
    assert [report["heard"]["number"] for report in reports] == list(range(20))
    assert not child.is_running


def test_program_that_is_stuck_ends_when_it_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """A main thread that never comes back does not keep a program alive without its drill, and is not killed for it."""
    child, reports = start(tmp_path, monkeypatch, STUCK)
    wait_until(lambda: bool(reports))
    child.close()
    assert "ended with status 75" in child.epitaph()


def test_program_that_ended_by_itself_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """An order to a program that is gone is an error with its status and the end of its log."""
    child, _ = start(tmp_path, monkeypatch, FAULTY)
    wait_until(lambda: not child.is_running)
    with pytest.raises(ClusterError, match=r"(?s)ended with status 1.*free lunch"):
        child.order(do="anything")
    child.close()
