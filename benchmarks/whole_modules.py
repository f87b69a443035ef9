"""Entries that are programs of their own, with their results as lines of the common table."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks import acks, capture, commits, compare, seal
from benchmarks.bundle import Shape
from benchmarks.figures import Figures, Goal
from benchmarks.mock_cluster import mock_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from types import ModuleType

    from benchmarks.entries import Bench

SMALL_ACKS: Mapping[str, Any] = {"FLAT_OUT_RECORDS": 5_000, "FLAT_OUT_RUNS_EACH": 1, "PACED_SECONDS": 0.1}
SMALL_LOG: Mapping[str, Any] = {"LOG_RECORDS": 8_000}
SMALL_COMMITS: Mapping[str, Any] = {"COMMITS": 2_000, "COMMIT_SECONDS": 0.2}
CAPTURE_FROM_ROWS = 1_000_000
"""What is asked of capture does not depend on the bundle; of the small size nothing is asked."""
CAPTURE_GOALS = {
    "LogReader": Goal(least_ratio=0.7, from_rows=CAPTURE_FROM_ROWS),
    "backlog, from the cluster": Goal(least_per_second=20_000, from_rows=CAPTURE_FROM_ROWS),
}
SEAL_GOAL = Goal(most_ratio=2)
"""Half the speed of a plain sort."""
DRILLS, SMALL_DRILLS = 1000, 20
"""Drills in the library that is compared."""


def sealing(name: str, bench: Bench) -> list[Figures]:
    """`rto seal` beside DuckDB sorting the same rows to Parquet: `python -m benchmarks.seal`."""
    small = bench.shape
    shape = partial(Shape, seconds=small.seconds, topics=small.topics, partitions=small.partitions)
    with _smaller(seal, {"Shape": shape}, bench):
        return [_sealed(name, result) for result in seal.results(bench.shape.rows, bench.data, bench.runs)]


def ack_recorder(name: str, bench: Bench) -> list[Figures]:
    """Producers with a recorder beside the same without: `python -m benchmarks.acks`."""
    with _smaller(acks, SMALL_ACKS, bench), mock_cluster() as bootstrap_servers:
        variants = acks.results(bootstrap_servers, bench.runs)
        return [_variant(name, variant) for variant in variants]


def collectors(name: str, bench: Bench) -> list[Figures]:
    """Log read-back beside a bare consumer, and commits: `python -m benchmarks.capture`."""
    with (
        _smaller(capture, SMALL_LOG, bench),
        _smaller(commits, SMALL_COMMITS, bench),
        mock_cluster() as bootstrap_servers,
    ):
        return [_captured(name, result) for result in capture.results(bootstrap_servers, bench.runs)]


def comparison(name: str, bench: Bench) -> list[Figures]:
    """`rto compare` over a library of analyzed drills, in every form: `python -m benchmarks.compare`."""
    drills = SMALL_DRILLS if bench.is_small else DRILLS
    with tempfile.TemporaryDirectory() as folder:
        compare.make_library(Path(folder), drills)
        return [
            Figures(f"{name} {form}", rows=drills, seconds=compare.seconds_of(Path(folder), options))
            for form, options in compare.FORMS.items()
        ]


def _sealed(name: str, result: dict[str, Any]) -> Figures:
    form = result["bundle"].partition("captured")
    return Figures(
        f"{name} {''.join(form[1:])}",
        rows=result["rows"],
        seconds=result["seal_seconds"],
        baseline="plain sort",
        baseline_seconds=result["sort_seconds"],
        ratio=result["ratio"],
        peak_gb=result["seal_peak_gb"],
        goal=SEAL_GOAL,
        more=result,
    )


def _variant(name: str, result: dict[str, Any]) -> Figures:
    return Figures(
        f"{name} {result['variant']}",
        baseline="speed without",
        per_second=result["flat_out_per_second"],
        ratio=result["flat_out_ratio"],
        more=result,
    )


def _captured(name: str, result: dict[str, Any]) -> Figures:
    return Figures(
        f"{name} {result['what']}: {result['variant']}",
        baseline=None if result["ratio"] is None else "speed of bare",
        per_second=result["per_second"],
        ratio=result["ratio"],
        goal=CAPTURE_GOALS.get(result["variant"], Goal()),
        more=result,
    )


def _smaller(module: ModuleType, constants: Mapping[str, Any], bench: Bench) -> AbstractContextManager[Any]:
    """A module with less to do, where only its working is to be seen."""
    return patch.multiple(module, **constants) if bench.is_small else nullcontext()
