"""Measure commands as people run them, in processes of their own: seconds, the most memory, and what they answered."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHECKOUT = Path(__file__).resolve().parents[1]
VERDICTS = frozenset({0, 1, 2})
"""Exit statuses of an analysis that ran."""
LIBRARIES = ("duckdb", "pyarrow", "polars", "pandas", "rtoanalytics")


@dataclass(frozen=True)
class Guard:
    """What a process may take before it is ended, so that the machine survives whatever is measured."""

    seconds: float = 1800.0
    gigabytes: float = 14.0
    """Memory of its own; pages of files that the system can take back do not count."""


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    seconds: float
    """From the start of the process to its end, imports included."""
    peak_gb: float
    """The most memory the process held at once, as the system counts it."""
    answer: Mapping[str, Any] | None
    """The line of JSON on its standard output; None where it did not come to its end."""
    ended: str | None = None
    """Why it did not: over a limit, or with what status and last line."""
    cpu_seconds: float = 0.0
    """Processor time of all its threads: steadier than seconds where the machine does other work."""


def run_python(*arguments: str, statuses: frozenset[int] = frozenset({0}), guard: Guard | None = None) -> Run:
    """Run Python with arguments, in the checkout. A process that dies is a result, no error."""
    guard = guard or Guard()
    with tempfile.TemporaryDirectory() as folder:
        report, answer, talk = (Path(folder) / name for name in ("report", "answer", "talk"))
        limits = (str(report), str(guard.seconds), str(guard.gigabytes))
        with answer.open("wb") as output, talk.open("wb") as errors:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.guarded", *limits, sys.executable, *arguments],
                cwd=CHECKOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "collectors")])},
                stdout=output,
                stderr=errors,
                check=True,
            )
        told = json.loads(report.read_text("utf-8"))
        ended = told["exceeded"]
        if not ended and told["status"] not in statuses:
            ended = f"status {told['status']}: {_last_line(talk)}"
        said = None if ended else json.loads(_last_line(answer))
        return Run(told["seconds"], told["peak_gb"], said, ended, told["cpu_seconds"])


def in_turn(commands: Mapping[str, Callable[[], Run]], runs: int) -> dict[str, list[Run]]:
    """Every command `runs` times, round by round: what else the machine does meanwhile is in all of them.

    One that did not come to its end is not run again.
    """
    done: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            if not any(run.ended for run in done[name]):
                done[name].append(command())
    return done


def median_seconds(runs: list[Run]) -> float:
    """Of the whole process."""
    return statistics.median(run.seconds for run in runs)


def median_answer(runs: list[Run], key: str) -> float:
    """Of a number that the process measured itself. RuntimeError when one did not come to its end."""
    numbers: list[float] = []
    for run in runs:
        if run.answer is None:
            raise RuntimeError(run.ended)
        numbers.append(run.answer[key])
    return statistics.median(numbers)


def peak_gb(runs: list[Run]) -> float:
    """The largest."""
    return max(run.peak_gb for run in runs)


def steps_inside(bundle: Path) -> dict[str, float]:
    """Seconds of each step of an analysis, in a process of its own: imports, opening, each query, measures, results."""
    run = run_python("-m", "benchmarks.steps", str(bundle))
    if run.answer is None:
        raise RuntimeError(run.ended)
    return dict(run.answer)


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        **{name: found for name in LIBRARIES if (found := _version(name))},
    }


def _last_line(path: Path) -> str:
    return (path.read_text("utf-8").rstrip().splitlines() or ["nothing was said"])[-1]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
