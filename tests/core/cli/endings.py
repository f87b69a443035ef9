"""Run `rto` as its own process does, and say how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtoanalytics.cli.main import exit_status

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass(frozen=True)
class Ending:
    """How one run of `rto` ended: its exit status, its answer (stdout) and its talk (stderr)."""

    status: int
    answer: str
    talk: str


def rto(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Ending:
    """Run `rto` inside this process."""
    capsys.readouterr()
    status = exit_status([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return Ending(status, said.out, said.err)


def rto_process(repository: Path, *arguments: str | Path) -> Ending:
    """Run `python -m rtoanalytics` from the checkout, installed or not."""
    path = os.pathsep.join([str(repository), str(repository / "collectors")])
    ended = subprocess.run(
        [sys.executable, "-m", "rtoanalytics", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    return Ending(ended.returncode, ended.stdout, ended.stderr)


def refused(ending: Ending, *words: str, lines: int | None = None) -> None:
    """It could not run, answered nothing, and gave one message that holds every word: no traceback, no excuse."""
    assert ending.status == 3, ending
    assert ending.answer == ""
    assert ending.talk.startswith("rto: ")
    assert "Traceback" not in ending.talk
    assert "internal error" not in ending.talk
    for word in words:
        assert word in ending.talk
    if lines is not None:
        assert len(ending.talk.splitlines()) == lines, ending.talk
