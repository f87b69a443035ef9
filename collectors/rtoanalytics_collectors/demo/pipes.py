"""Programs of the demo as child processes: orders in, reports out, one JSON object a line.

A child whose standard input ends stops by itself, so that none outlives the drill, however the drill ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

from rtoanalytics.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Json = Any
"""Anything JSON can hold."""
Message = dict[str, Json]
HANG_UP = {"do": "hang_up"}
"""The order that the end of standard input stands for."""
_STDERR_LINES = 8
_GRACE_SECONDS = 6.0
"""What a program has to finish in once nobody is there to give it orders."""
_CLOSE_SECONDS = 10.0
_ABANDONED = 75


class Child:
    """A program of the demo, run as `python -m <module>`, seen from the drill."""

    def __init__(self, module: str, folder: Path, on_report: Callable[[Message], None]) -> None:
        """Start it. `folder` takes its standard error; `on_report` is called from a thread of its own."""
        self.name = module.rsplit(".", 1)[-1]
        self._log = folder / f"{self.name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own module, this interpreter)
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=_environment(),
                start_new_session=True,  # Ctrl-C reaches the drill alone, which then stops everything in order
            )
        self.is_over = False
        """Whether its end was seen, and expected, by whoever waited for it."""
        self._reader = threading.Thread(target=self._read, args=(on_report,), name=self.name, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def order(self, **order: Json) -> None:
        """Give one order. Raises ClusterError, with the end of its log, when the program has ended."""
        try:
            _pipe(self._process.stdin).write(json.dumps(order) + "\n")
            _pipe(self._process.stdin).flush()
        except OSError:
            raise ClusterError(self.epitaph()) from None

    def epitaph(self) -> str:
        """What is known of its end."""
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-_STDERR_LINES:])
        return f"the demo's {self.name} ended with status {self._process.wait()}; the end of its log:\n{tail or '-'}"

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for its end; False when it is still running after `timeout_seconds`."""
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        self._reader.join(timeout_seconds)
        self.is_over = True
        return True

    def close(self, timeout_seconds: float = _CLOSE_SECONDS) -> None:
        """Hang up, let it finish, and kill it when it does not. Safe to call twice."""
        _close_quietly(_pipe(self._process.stdin))
        if not self.wait(timeout_seconds):
            self._process.kill()
            self.wait(timeout_seconds)
        _close_quietly(_pipe(self._process.stdout))

    def _read(self, on_report: Callable[[Message], None]) -> None:
        for line in _pipe(self._process.stdout):
            on_report(json.loads(line))


class Orders:
    """The orders of a drill, seen from the program: read in a thread, taken when the program has time."""

    def __init__(self) -> None:
        self._orders: queue.Queue[Message] = queue.Queue()
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def wait(self) -> Message:
        """The next order."""
        return self._orders.get()

    def take(self) -> Message | None:
        """The next order, if there is one."""
        try:
            return self._orders.get_nowait()
        except queue.Empty:
            return None

    def _read(self) -> None:
        for line in sys.stdin:
            self._orders.put(json.loads(line))
        self._orders.put(HANG_UP)
        # A program that is stuck in its client (a commit without a coordinator never returns) ends all the same; its
        # spool loses nothing that was durable.
        threading.Event().wait(_GRACE_SECONDS)
        os._exit(_ABANDONED)


def report(**message: Json) -> None:
    """Say one thing to the drill; silence when it is no longer there."""
    try:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _environment() -> dict[str, str]:
    """This environment, with modules found where this process finds them."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        msg = "the child was started without this pipe"
        raise ClusterError(msg)
    return stream


def _close_quietly(stream: IO[str]) -> None:
    with contextlib.suppress(OSError):  # it went before us
        stream.close()
