"""Measure the command as people run it, the scan it is held against, and the steps inside it."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).resolve().parents[1]
SCANNED = {"acks": "acked_at", "applied": "applied_at"}
"""Tables of the scan, and the instant that is read beside topic, partition and record_offset."""
VERDICTS = frozenset({0, 1, 2})
"""Exit statuses of an analysis that ran."""


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    seconds: float
    """From the start of the process to its end, import included."""
    peak_gb: float
    """The most memory the process held at once."""


@dataclass(frozen=True)
class Comparison:
    """Runs of `rto analyze` and of the scan, one after the other in turn."""

    analyses: tuple[Run, ...]
    scans: tuple[float, ...]

    def summary(self) -> dict[str, float]:
        """Medians, and their ratio; of memory the largest."""
        seconds = statistics.median(run.seconds for run in self.analyses)
        scan_seconds = statistics.median(self.scans)
        return {
            "analyze_seconds": round(seconds, 3),
            "scan_seconds": round(scan_seconds, 3),
            "ratio": round(seconds / scan_seconds, 1),
            "peak_gb": round(max(run.peak_gb for run in self.analyses), 2),
        }


def compare(bundle: Path, *, runs: int, options: Sequence[str] = ()) -> Comparison:
    """`rto analyze` on a bundle and DuckDB's scan of the same columns, alternating."""
    scans, analyses = [], []
    for _ in range(runs):
        scans.append(scan_seconds(bundle))
        analyses.append(run_command("-m", "rtoanalytics", "analyze", "--json", str(bundle), *options))
    return Comparison(tuple(analyses), tuple(scans))


def scan_seconds(bundle: Path) -> float:
    """How long DuckDB takes to read topic, partition, record_offset and the instant of both sides, and nothing more."""
    with duckdb.connect() as connection:
        started = time.perf_counter()
        for table, instant in SCANNED.items():
            # Sums: a minimum or a count could be answered from the footer alone.
            connection.sql(
                f"select sum(length(topic)), sum(partition), sum(record_offset), sum(epoch_us({instant}))"
                f" from read_parquet('{(bundle / 'evidence' / table).as_posix()}/*.parquet')"
            ).fetchall()
        return time.perf_counter() - started


def run_command(*arguments: str) -> Run:
    """Run Python with arguments in a process of its own. RuntimeError when it did not come to a verdict."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in VERDICTS:
        msg = f"{' '.join(arguments)} ended with status {process.returncode}"
        raise RuntimeError(msg)
    return Run(seconds, _gigabytes(usage.ru_maxrss))


def steps_inside(bundle: Path) -> dict[str, float]:
    """Seconds of each step of an analysis, in a process of its own: imports, opening, each query, measures, results."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.steps", str(bundle)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    steps: dict[str, float] = json.loads(answer.stdout)
    return steps


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        **{name: version(name) for name in ("duckdb", "pyarrow", "rtoanalytics")},
    }


def _gigabytes(maxrss: int) -> float:
    return maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
