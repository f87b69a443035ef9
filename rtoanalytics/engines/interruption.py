"""Work that Ctrl-C ends at once, although an engine is computing.

An engine inside a long query looks at signals late, if at all; what it heeds at once is an interrupt from another
thread. So the work is done in a thread of its own, and the calling thread waits for it, or for a signal.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_LOOK_AGAIN_SECONDS = 0.2
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))


class Interruptible(Protocol):
    """What can be told from another thread to drop what it is computing: a DuckDB connection."""

    def interrupt(self) -> None:
        """Make the computation under way fail."""


class InterruptedWork(Exception):  # noqa: N818  (no error: somebody asked for it)
    """The work was asked to end, and did."""


class Interruption:
    """Whether work has been asked to end, and what it is waiting for meanwhile."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._computing: list[Interruptible] = []

    def ask(self) -> None:
        """Ask the work to end: what it computes fails, and its next `check` does."""
        self._asked.set()
        with self._lock:
            for each in self._computing:
                with suppress(Exception):  # it has ended by itself
                    each.interrupt()

    def check(self) -> None:
        """Raise InterruptedWork where the work has been asked to end: to be called between its steps."""
        if self._asked.is_set():
            raise InterruptedWork

    @contextmanager
    def ends(self, computing: Interruptible) -> Iterator[None]:
        """Have `ask` interrupt this too, for as long as the block lasts."""
        with self._lock:
            self._computing.append(computing)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._computing.remove(computing)


def interruptible(work: Callable[[Interruption], T]) -> T:
    """What `work` returns or raises.

    Where the calling thread is told to end meanwhile (KeyboardInterrupt, or what a signal handler raises as one), the
    work is asked to end, and only when it has is that raised. What the work had finished by then stands.
    """
    interruption = Interruption()
    done = threading.Event()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(interruption))
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that asked for the work)
            failures.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=run, name="analysis")
    try:
        thread.start()
        while not done.wait(_LOOK_AGAIN_SECONDS):
            pass
    except KeyboardInterrupt:
        if thread.ident is not None:
            _end(interruption, done)
        raise
    if failures:
        raise failures[0]
    return results[0]


def _end(interruption: Interruption, done: threading.Event) -> None:
    """Wait until the work has ended, deaf to further signals: an engine left computing would bring the process down."""
    with _deaf():
        interruption.ask()
        while not done.wait(_LOOK_AGAIN_SECONDS):
            interruption.ask()


@contextmanager
def _deaf() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
