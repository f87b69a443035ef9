"""Work in a thread of its own ends when the thread that waits for it is told to, and not before it has cleaned up."""

from __future__ import annotations

import os
import signal
import threading

import duckdb
import pytest

from rtoanalytics.engines.interruption import InterruptedWork, Interruption, interruptible

DEADLINE_SECONDS = 60


def test_what_the_work_returns_or_raises_is_handed_on() -> None:
    """Nobody sees that the work was done in another thread."""

    def failing(_: Interruption) -> None:
        msg = "no"
        raise LookupError(msg)

    assert interruptible(lambda _: threading.current_thread() is threading.main_thread()) is False
    with pytest.raises(LookupError, match="no"):
        interruptible(failing)


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_ends_a_computation_and_lets_the_work_clean_up(times: int) -> None:
    """A query that never ends does; what stands after it in the work is still done, however often Ctrl-C is pressed."""
    ended = []

    def endless(interruption: Interruption) -> None:
        try:
            with duckdb.connect() as connection, interruption.ends(connection):
                for _ in range(times):
                    os.kill(os.getpid(), signal.SIGINT)
                connection.execute("select sum(a.range * b.range) from range(100000000) a, range(100000000) b")
        finally:
            ended.append(True)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        interruptible(endless)
    assert ended
    assert signal.getsignal(signal.SIGTERM) is before


def test_work_between_computations_ends_at_its_next_check() -> None:
    """Work that computes nothing at the moment is asked, not torn."""
    seen = []

    def stepping(interruption: Interruption) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        deadline = threading.Event()
        for _ in range(DEADLINE_SECONDS * 100):
            deadline.wait(0.01)
            try:
                interruption.check()
            except InterruptedWork:
                seen.append("asked")
                raise

    with pytest.raises(KeyboardInterrupt):
        interruptible(stepping)
    assert seen == ["asked"]


def test_what_begins_after_the_question_does_not_begin() -> None:
    """A computation that would start once the work has been asked to end is not started."""
    interruption = Interruption()
    interruption.ask()
    with duckdb.connect() as connection, pytest.raises(InterruptedWork), interruption.ends(connection):
        pytest.fail("begun")
