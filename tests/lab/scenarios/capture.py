"""The capture beside a drill of the lab: `rto collect` and `rto collect log`, as anybody would run them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tests.lab.harness.processes import LabError, Program, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

END_SECONDS = 60.0
_START_SECONDS = 30.0
_LOG_SECONDS = 120.0


class Capture:
    """Runs `rto collect` on a bundle until it is stopped, and then reads the log back."""

    def __init__(self, bundle: Path, folder: Path, environment: Mapping[str, str]) -> None:
        """`environment` is what the definition names as ${NAME}; the program's own log goes to `folder`."""
        self._bundle = bundle
        self._folder = folder
        self._environment = environment
        self._program: Program | None = None

    def start(self) -> None:
        """Begin to capture; returns when the first signs of life are on their way to the disk."""
        program = self._run("collect")
        self._program = program
        spools = self._bundle / "spool"
        wait_until("rto collect to start", lambda: any(spools.glob("heartbeats*/*")), _START_SECONDS, program)

    def stop(self) -> None:
        """Let every collector look once more, seal, and end. Safe to call twice."""
        if self._program is not None:
            self._program.ask_to_end()
            _wait(self._program, END_SECONDS)

    def read_back(self) -> None:
        """Read the log back."""
        with self._run("collect", "log") as program:
            _wait(program, _LOG_SECONDS)

    def close(self) -> None:
        """End it, whatever it does."""
        if self._program is not None:
            self._program.close()

    def _run(self, *command: str) -> Program:
        path = os.pathsep.join(found for found in sys.path if found)
        arguments = [sys.executable, "-m", "rtoanalytics", *command, str(self._bundle)]
        environment = {"PYTHONPATH": path, **self._environment}
        return Program("rto-" + "-".join(command), arguments, self._folder, environment=environment)


def _wait(program: Program, seconds: float) -> None:
    if not program.wait(seconds) or program.status != 0:
        raise LabError(program.epitaph())
