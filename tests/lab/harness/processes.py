"""Programs of the lab: each in a process group of its own, with a log file, and ended whatever happens.

A guard process holds the other end of a pipe: when the session that started the programs is gone, however it went,
the guard kills what it has left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Self

from rtoanalytics.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_TICK_SECONDS = 0.02
_LOG_LINES = 15
_END_SECONDS = 10.0


class LabError(ClusterError):
    """The lab could not do what a scenario asked of it."""


class Program:
    """One running program: a JVM, or a Python module of the lab."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
    ) -> None:
        """Start `command` in `folder`; what it says goes to `<folder>/<name>.log`, or to the pipe asked for."""
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                text=True,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        _guard.watch(self.pid)

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group too."""
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        """Its standard input, when it was started with a pipe."""
        return _pipe(self._process.stdin, self.name)

    @property
    def stdout(self) -> IO[str]:
        """Its standard output, when it was started with a pipe."""
        return _pipe(self._process.stdout, self.name)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; a paused one is running."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to its group; returns when it is gone. Safe to call twice."""
        self._signal(signal.SIGKILL)
        self._process.wait(_END_SECONDS)
        _guard.forget(self.pid)

    def pause(self) -> None:
        """Stop it in the middle of what it does (SIGSTOP): it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def ask_to_end(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for its end; False when it still runs after `timeout_seconds`."""
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        _guard.forget(self.pid)
        return True

    def close(self) -> None:
        """Kill it if it runs, and close its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # the other end went first
                    pipe.close()

    def epitaph(self) -> str:
        """What is known of it: how it ended and the last lines of its log."""
        status = self._process.poll()
        state = "is running" if status is None else f"ended with status {status}"
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return f"{self.name} {state}; the end of its log:\n" + ("\n".join(lines) or "-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _signal(self, number: int) -> None:
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):  # it ended between the look and the signal
                os.killpg(self.pid, number)


def wait_until(what: str, is_true: Callable[[], bool], seconds: float, *programs: Program) -> None:
    """Wait until a condition holds. Raises LabError when it does not within `seconds`, or when a program has ended."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not is_true():
        ended = [program for program in programs if not program.is_running]
        if ended:
            msg = f"waited for {what}, but {ended[0].epitaph()}"
            raise LabError(msg)
        if time.monotonic() > deadline:
            msg = "\n".join([f"waited {seconds:.0f} s for {what}", *(program.epitaph() for program in programs)])
            raise LabError(msg)
        pause.wait(_TICK_SECONDS)


class _Guard:
    """Kills the process groups it was told of when this process is gone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def watch(self, group: int) -> None:
        """From now on, `group` does not outlive this process."""
        self._say(f"+{group}")

    def forget(self, group: int) -> None:
        """`group` has ended; its number may belong to somebody else soon."""
        self._say(f"-{group}")

    def _say(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._owner != os.getpid():
                command = [sys.executable, "-c", _GUARD]
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
                )
                self._owner = os.getpid()
            pipe = _pipe(self._process.stdin, "guard")
            pipe.write(line + "\n")
            pipe.flush()


_GUARD = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""
_guard = _Guard()


def _pipe(stream: IO[str] | None, name: str) -> IO[str]:
    if stream is None:
        msg = f"{name} was started without this pipe"
        raise LabError(msg)
    return stream
