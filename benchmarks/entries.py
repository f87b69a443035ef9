"""The entries of the benchmark: each measures one thing in pairs with what it is held against."""

from __future__ import annotations

import shutil
import statistics
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from benchmarks.arrival import arriving
from benchmarks.bundle import Shape, benchmark_bundle
from benchmarks.fates import WAYS
from benchmarks.figures import Figures, Goal
from benchmarks.measuring import VERDICTS, Run, in_turn, median_answer, median_seconds, peak_gb, run_python
from benchmarks.scan import READ
from benchmarks.whole_modules import ack_recorder, collectors, comparison, sealing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PANDAS = "pandas-merge"
PANDAS_ROWS = 10_000_000
"""Of more records pandas is not asked: it would take the memory of several such machines."""
COLUMNS_OF_COUNTS = {"once": "once", "duplicated": "duplicated", "unknown": "unacked"}
DERIVED = ("results", ".analysis")
"""Folders of a bundle that an analysis leaves; without them the next one starts from nothing."""
GROWTH = 10


@dataclass(frozen=True)
class Bench:
    """What is measured, and how often."""

    shape: Shape
    """Sealed, matched by offset; other variants are made of it."""
    data: Path
    """Where bundles are kept."""
    runs: int = 3
    options: tuple[str, ...] = ()
    """Passed on to `rto analyze`."""
    is_small: bool = False
    """Only to see that everything works."""

    def bundle(self, shape: Shape) -> Path:
        """A bundle of that shape."""
        return benchmark_bundle(shape, self.data)

    @cached_property
    def captured(self) -> Shape:
        """The same traffic in the order of capture."""
        return replace(self.shape, order="captured")

    @cached_property
    def identified(self) -> Shape:
        """The same traffic, matched by record_id."""
        return replace(self.captured, match="record_id")


def analysis(bundle: Path, options: Sequence[str]) -> Run:
    """`rto analyze` from nothing: no earlier answer is there to be taken."""
    for name in DERIVED:
        shutil.rmtree(bundle / name, ignore_errors=True)
    return again(bundle, options)


def again(bundle: Path, options: Sequence[str]) -> Run:
    """`rto analyze` as the bundle is."""
    return run_python("-m", "rtoanalytics", "analyze", "--json", str(bundle), *options, statuses=VERDICTS)


def as_sealed(bundle: Path, options: Sequence[str]) -> Run:
    """The first `rto analyze` after `rto seal`, with what that leaves beside the bundle."""
    for name in DERIVED:
        shutil.rmtree(bundle / name, ignore_errors=True)
    prepared = run_python("-m", "benchmarks.prepare_once", str(bundle))
    return prepared if prepared.ended else again(bundle, options)


def scan(bundle: Path) -> Run:
    """DuckDB reading what the analysis reads."""
    return run_python("-m", "benchmarks.scan", str(bundle))


def evidence_rows(bundle: Path, *tables: str) -> int:
    """Rows of these tables."""
    paths = [path for table in tables for path in (bundle / "evidence" / table).glob("*.parquet")]
    return sum(pq.read_metadata(path).num_rows for path in paths)


def counts_of(runs: Sequence[Run]) -> Mapping[str, int] | None:
    """What an analysis counted, in the words of `benchmarks.fates`."""
    answer = runs[0].answer
    if answer is None:
        return None
    totals = answer["totals"]
    counts = {ours: totals[theirs] for ours, theirs in COLUMNS_OF_COUNTS.items()}
    return {**counts, "absent": totals["acked"] - totals["once"] - totals["duplicated"]}


def analyze(
    shape: Callable[[Bench], Shape],
    goal: Goal,
    name: str,
    bench: Bench,
    *,
    way: Callable[[Path, Sequence[str]], Run] = analysis,
) -> list[Figures]:
    """`rto analyze` beside the scan of the same columns."""
    bundle = bench.bundle(shape(bench))
    done = in_turn(
        {"analyze": lambda: way(bundle, bench.options), "scan": lambda: scan(bundle)},
        bench.runs,
    )
    scan_seconds = median_answer(done["scan"], "seconds")
    return [
        _figures(
            name,
            done["analyze"],
            rows=evidence_rows(bundle, *READ),
            baseline="scan",
            baseline_seconds=scan_seconds,
            goal=goal,
            counts=counts_of(done["analyze"]),
        )
    ]


def joins(name: str, bench: Bench) -> list[Figures]:
    """The joins that an analyst would write, beside the scan; pandas on as many records as it can take."""
    if bench.shape.rows <= PANDAS_ROWS:
        return _joins(name, bench.bundle(bench.shape), tuple(WAYS), bench.runs)
    others = tuple(way for way in WAYS if way != PANDAS)
    smaller = bench.bundle(replace(bench.shape, rows=PANDAS_ROWS))
    return [
        *_joins(name, bench.bundle(bench.shape), others, bench.runs),
        *_joins(name, smaller, (PANDAS,), bench.runs),
    ]


def record_id(goal: Goal, name: str, bench: Bench) -> list[Figures]:
    """`rto analyze` by identities, beside the plain joins by identity; the fastest of those counts."""
    bundle = bench.bundle(bench.identified)
    ways = [way for way in WAYS if way != PANDAS]
    commands = _ways(ways, "record_id", bundle)
    commands |= {"analyze": lambda: analysis(bundle, bench.options), "scan": lambda: scan(bundle)}
    done = in_turn(commands, bench.runs)
    rows, scan_seconds = evidence_rows(bundle, *READ), median_answer(done["scan"], "seconds")
    ended = {way: median_seconds(done[way]) for way in ways if not _why_ended(done[way])}
    best = min(ended, key=lambda way: ended[way], default=None)
    analyzed = _figures(
        name,
        done["analyze"],
        rows=rows,
        baseline=best or "no join came to its end",
        baseline_seconds=ended.get(best) if best else None,
        goal=goal,
        counts=counts_of(done["analyze"]),
    )
    return [analyzed, *(_way(f"{name} {way}", done[way], rows, "scan", scan_seconds) for way in ways)]


def unchanged(name: str, bench: Bench) -> list[Figures]:
    """The second `rto analyze` of a bundle that nothing changed in, beside the first."""
    bundle = bench.bundle(bench.shape)
    done = in_turn(
        {"first": lambda: analysis(bundle, bench.options), "again": lambda: again(bundle, bench.options)},
        bench.runs,
    )
    rows, first = evidence_rows(bundle, *READ), median_seconds(done["first"])
    counts = counts_of(done["again"])
    return [_figures(name, done["again"], rows=rows, baseline="first", baseline_seconds=first, counts=counts)]


def grown(name: str, bench: Bench) -> list[Figures]:
    """`rto analyze` after the last tenth of the evidence arrived, beside that of the rest before."""
    captured = bench.bundle(bench.captured)
    with arriving(captured, DERIVED) as (bundle, arrival):

        def first() -> Run:
            arrival.undo()
            return analysis(bundle, bench.options)

        def with_the_rest() -> Run:
            arrival.happen()
            return again(bundle, bench.options)

        done = in_turn({"first": first, "grown": with_the_rest}, bench.runs)
        rows = evidence_rows(bundle, *READ)
    seconds, counts = median_seconds(done["first"]), counts_of(done["grown"])
    return [_figures(name, done["grown"], rows=rows, baseline="first", baseline_seconds=seconds, counts=counts)]


def growth(goal: Goal, name: str, bench: Bench) -> list[Figures]:
    """`rto analyze` on ten times the records of the same hour."""
    large = bench.bundle(bench.shape)
    small = bench.bundle(replace(bench.shape, rows=bench.shape.rows // GROWTH))
    done = in_turn(
        {"small": lambda: analysis(small, bench.options), "large": lambda: analysis(large, bench.options)},
        bench.runs,
    )
    seconds = median_seconds(done["small"])
    rows = evidence_rows(large, *READ)
    return [_figures(name, done["large"], rows=rows, baseline="a tenth", baseline_seconds=seconds, goal=goal)]


def layout(goal: Goal, name: str, bench: Bench) -> list[Figures]:
    """Bytes a row of the sealed evidence that has a row for every record."""
    bundle = bench.bundle(replace(bench.shape, log_records=True))
    lines = []
    for table in READ:
        rows = evidence_rows(bundle, table)
        size = sum(path.stat().st_size for path in (bundle / "evidence" / table).glob("*.parquet"))
        lines.append(Figures(f"{name} {table}", rows=rows, bytes_per_row=size / rows, goal=goal))
    return lines


def _joins(name: str, bundle: Path, ways: Sequence[str], runs: int) -> list[Figures]:
    done = in_turn({**_ways(ways, "offset", bundle), "scan": lambda: scan(bundle)}, runs)
    rows, seconds = evidence_rows(bundle, *READ), median_answer(done["scan"], "seconds")
    return [_way(f"{name} {way}", done[way], rows, "scan", seconds) for way in ways]


def _ways(ways: Sequence[str], match: str, bundle: Path) -> dict[str, Callable[[], Run]]:
    return {way: partial(run_python, "-m", "benchmarks.fates", way, match, str(bundle)) for way in ways}


def _way(name: str, runs: list[Run], rows: int, baseline: str, baseline_seconds: float) -> Figures:
    answer = runs[0].answer
    counts = {key: value for key, value in answer.items() if key != "seconds"} if answer else None
    return _figures(name, runs, rows=rows, baseline=baseline, baseline_seconds=baseline_seconds, counts=counts)


def _figures(
    name: str,
    runs: list[Run],
    *,
    rows: int,
    baseline: str,
    baseline_seconds: float | None,
    goal: Goal | None = None,
    counts: Mapping[str, int] | None = None,
) -> Figures:
    """Medians of several runs; of a command that did not come to its end, why."""
    ended = _why_ended(runs)
    seconds = None if ended else median_seconds(runs)
    return Figures(
        name,
        rows=rows,
        seconds=seconds,
        cpu_seconds=None if ended else statistics.median(run.cpu_seconds for run in runs),
        baseline=baseline,
        baseline_seconds=baseline_seconds,
        ratio=seconds / baseline_seconds if seconds and baseline_seconds else None,
        peak_gb=peak_gb(runs),
        goal=goal or Goal(),
        ended=ended,
        counts=counts,
    )


def _why_ended(runs: Sequence[Run]) -> str | None:
    return next((run.ended for run in runs if run.ended), None)


ANY_ORDER = Goal(most_ratio=15, most_gb=2)
SEALED = Goal(most_ratio=10, most_gb=1.5)

_MEASURES: dict[str, Callable[[str, Bench], list[Figures]]] = {
    "analyze-sealed": partial(analyze, lambda bench: bench.shape, SEALED, way=as_sealed),
    "analyze-sealed-bare": partial(analyze, lambda bench: bench.shape, SEALED),
    "analyze-captured": partial(analyze, lambda bench: bench.captured, ANY_ORDER),
    "analyze-sealed-log": partial(analyze, lambda bench: replace(bench.shape, log_records=True), SEALED, way=as_sealed),
    "analyze-captured-log": partial(analyze, lambda bench: replace(bench.captured, log_records=True), ANY_ORDER),
    "analyze-record-id": partial(record_id, Goal(most_ratio=1.5, most_gb=6)),
    "analyze-unchanged": unchanged,
    "analyze-grown": grown,
    "growth": partial(growth, Goal(most_ratio=11)),
    "joins": joins,
    "layout": partial(layout, Goal(most_bytes_per_row=1)),
    "seal": sealing,
    "acks": ack_recorder,
    "capture": collectors,
    "compare": comparison,
}

ENTRIES: dict[str, Callable[[Bench], list[Figures]]] = {
    name: partial(measure, name) for name, measure in _MEASURES.items()
}
"""By name: what measures it and says its lines of the table."""
