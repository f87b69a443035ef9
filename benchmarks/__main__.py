"""`python -m benchmarks`: how long `rto analyze` takes, as a ratio to a scan of the same columns on the same machine.

Makes a bundle if there is none of that size, runs both in turn, and prints a table and one line of JSON. Nothing is
asserted: what is slow here may be fast elsewhere; the ratio travels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.bundle import Shape, benchmark_bundle
from benchmarks.measuring import compare, machine, steps_inside

DATA = Path(__file__).parent / "data"
DEMO = Shape(rows=20_000, seconds=40, topics=1, partitions=6)
"""As large as a bundle that `rto demo` captures."""
SHOWN_STEPS = 12
_SUFFIXES = {"k": 1_000, "M": 1_000_000}


def measured(shape: Shape, data: Path, *, runs: int, memory_limit: str | None) -> dict[str, Any]:
    """Everything that is measured of a bundle of one shape."""
    bundle = benchmark_bundle(shape, data)
    options = ["--memory-limit", memory_limit] if memory_limit else []
    comparison = compare(bundle, runs=runs, options=options)
    return {"bundle": shape.name, **comparison.summary(), "steps": steps_inside(bundle)}


def rows(text: str) -> int:
    """A number of rows: 10000000, 100k, 10M.

    >>> rows("100k")
    100000
    """
    unit = _SUFFIXES.get(text[-1:], 1)
    return int(text[:-1] if unit > 1 else text) * unit


def table(results: list[dict[str, Any]]) -> str:
    """The results for people."""
    lines = ["bundle                                   analyze s    scan s   ratio   peak GB"]
    lines += [
        f"{result['bundle']:<40} {result['analyze_seconds']:>9.2f} {result['scan_seconds']:>9.3f}"
        f" {result['ratio']:>7.1f} {result['peak_gb']:>9.2f}"
        for result in results
    ]
    for result in results:
        lines += ["", f"slowest steps of {result['bundle']}"]
        slowest = sorted(result["steps"].items(), key=lambda step: -step[1])[:SHOWN_STEPS]
        lines += [f"  {seconds:>8.3f} s  {step}" for step, seconds in slowest]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure rto analyze.")
    parser.add_argument("--rows", type=rows, default=10_000_000, metavar="N", help="acknowledged records (default 10M)")
    parser.add_argument("--seconds", type=int, default=3600, metavar="N", help="length of the capture (default 3600)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each; medians count (default 3)")
    parser.add_argument("--identities", action="store_true", help="records with record_id, effects with application_id")
    parser.add_argument("--memory-limit", metavar="SIZE", help="passed on to rto analyze, for instance 2GB")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="where the bundles are kept")
    chosen = parser.parse_args()
    shapes = [DEMO, Shape(rows=chosen.rows, seconds=chosen.seconds, identities=chosen.identities)]
    results = [measured(shape, chosen.data, runs=chosen.runs, memory_limit=chosen.memory_limit) for shape in shapes]
    where = machine()
    print(", ".join(f"{name} {value}" for name, value in where.items()), end="\n\n")
    print(table(results), end="\n\n")
    print(json.dumps({"machine": where, "runs": chosen.runs, "results": results}))


if __name__ == "__main__":
    main()
