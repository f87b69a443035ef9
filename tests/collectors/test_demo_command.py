"""`rto demo`: what it refuses, and how it ends when it is stopped or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.errors import UsageError
from rtoanalytics_collectors import cli
from rtoanalytics_collectors.spool.recovery import recover

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Captured = Callable[[Path, str], list[dict[str, Any]]]

COMMAND = "import typer; from rtoanalytics_collectors.cli import demo; typer.run(demo)"


def run_demo(bundle: Path, *options: str) -> subprocess.Popen[str]:
    """`rto demo --bundle …` as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--bundle", str(bundle), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_demo_captures_judges_and_says_where_it_is(tmp_path: Path) -> None:
    """Status 0 whatever the verdict; the answer is on standard output, the talk on standard error."""
    bundle = tmp_path / "drill"
    with run_demo(bundle, "--seconds", "3", "--fault", "slow-network") as drill:
        answer, talk = drill.communicate(timeout=100)
    assert drill.returncode == 0, talk
    scorecard = json.loads((bundle / "results" / "scorecard.json").read_text())
    assert scorecard["verdict"] in {"pass", "fail", "inconclusive"}
    assert scorecard["totals"]["produced_twice"] > 0
    assert "simulated cluster" in answer.lower()
    assert f"{bundle}/results/report.html" in answer
    assert f"rto analyze {bundle}" in answer
    assert "steady state" in talk
    assert "steady state" not in answer
    assert (bundle / "manifest.json").is_file()
    assert not (bundle / "spool").exists()


def is_producing(bundle: Path) -> bool:
    """Whether acks are on disk."""
    segment = bundle / "spool" / "acks" / "1.arrows"
    return segment.exists() and segment.stat().st_size > 20_000


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_drill_ends_cleanly_and_keeps_its_evidence(
    tmp_path: Path, captured: Captured, wait_until: Callable[[Callable[[], bool]], None], how: signal.Signals
) -> None:
    """Ctrl-C and a polite kill: status 130, no spool left, what was captured is in the evidence."""
    bundle = tmp_path / "drill"
    with run_demo(bundle) as drill:
        wait_until(lambda: is_producing(bundle))
        drill.send_signal(how)
        _, talk = drill.communicate(timeout=30)
    assert drill.returncode == 130, talk
    assert "what was captured until now is in" in talk
    assert "Traceback" not in talk
    assert not (bundle / "spool").exists()
    assert len(captured(bundle, "acks")) > 0
    assert len(captured(bundle, "applied")) > 0
    assert not (bundle / "manifest.json").exists()


def test_killed_drill_leaves_no_program_and_its_evidence_can_be_recovered(
    tmp_path: Path, captured: Captured, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """After kill -9 the programs end by themselves (their spools are released), and recovery seals the rest."""
    bundle = tmp_path / "drill"
    with run_demo(bundle) as drill:
        wait_until(lambda: is_producing(bundle))
        drill.send_signal(signal.SIGKILL)

    def is_released() -> bool:
        recover(bundle)
        return not (bundle / "spool").exists()

    wait_until(is_released)
    assert len(captured(bundle, "acks")) > 0
    assert len(captured(bundle, "watermarks")) > 0


def test_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    """An earlier drill is not written over unless it is asked for."""
    (tmp_path / "drill.yaml").write_text("")
    with pytest.raises(UsageError, match="replace it with --force"):
        cli._make_room(tmp_path, is_forced=False)
    assert (tmp_path / "drill.yaml").exists()
    cli._make_room(tmp_path, is_forced=True)
    assert list(tmp_path.iterdir()) == []


def test_force_replaces_drills_only(tmp_path: Path) -> None:
    """A folder that is no drill is not emptied, forced or not; a file is not a folder."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not an earlier drill"):
        cli._make_room(tmp_path, is_forced=True)
    with pytest.raises(UsageError, match="found a file"):
        cli._make_room(tmp_path / "thesis.txt", is_forced=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("seconds", [0, -1, 1e9, float("nan"), float("inf")])
def test_seconds_are_bounded(tmp_path: Path, seconds: float) -> None:
    """A drill of no time, or of a month, is refused before anything is started."""
    with pytest.raises(UsageError, match="allowed are 1 to 3600"):
        cli.demo(seconds=seconds, bundle=tmp_path / "drill")
    assert not (tmp_path / "drill").exists()
