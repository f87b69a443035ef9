"""`python -m benchmarks`: what the tool takes for a drill of a given size, in parts of what it is held against.

Makes the bundles that are not there, runs every entry in turn with its baselines, each in a process of its own, and
prints a table and one line of JSON. Nothing is asserted: what is slow here may be fast elsewhere; the ratio travels.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.bundle import Shape
from benchmarks.entries import ENTRIES, Bench
from benchmarks.figures import Figures, table
from benchmarks.measuring import machine

DATA = Path(__file__).parent / "data"
SMALL = Shape(rows=80_000, seconds=120, topics=2, partitions=3)
"""Enough to see that every entry works, too little to say how fast anything is."""
_SUFFIXES = {"k": 1_000, "M": 1_000_000}


def rows(text: str) -> int:
    """A number of rows: 10000000, 100k, 10M.

    >>> rows("100k")
    100000
    """
    unit = _SUFFIXES.get(text[-1:], 1)
    return int(text[:-1] if unit > 1 else text) * unit


def shape(text: str) -> Shape:
    """The size of everything: `small`, or a number of acknowledged records in an hour."""
    return SMALL if text == "small" else Shape(rows=rows(text))


def measured(bench: Bench, names: list[str]) -> list[Figures]:
    """The lines of all entries. What comes first is told to people who wait."""
    lines: list[Figures] = []
    for name in names:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        lines += ENTRIES[name](bench)
    return lines


def document(bench: Bench, lines: list[Figures]) -> dict[str, Any]:
    """Everything, for programs."""
    size = bench.shape.rows
    return {
        "machine": machine(),
        "size": bench.shape.name,
        "runs": bench.runs,
        "options": list(bench.options),
        "entries": [line.document(size) for line in lines],
    }


def heading(answer: dict[str, Any]) -> str:
    """The machine, and how it was measured."""
    where = ", ".join(f"{name} {value}" for name, value in answer["machine"].items())
    options = f", rto analyze {' '.join(answer['options'])}" if answer["options"] else ""
    return f"{where}; {answer['size']}, medians of {answer['runs']}{options}"


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", type=shape, default=shape("10M"), metavar="N", help="small, 10M (default), 100M, …")
    parser.add_argument("--only", nargs="+", choices=ENTRIES, default=list(ENTRIES), metavar="NAME", help="entries")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each; medians count (default 3)")
    parser.add_argument("--memory-limit", metavar="SIZE", help="passed on to rto analyze, for instance 2GB")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="where the bundles are kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON there, not after the table")
    chosen = parser.parse_args()
    options = ("--memory-limit", chosen.memory_limit) if chosen.memory_limit else ()
    bench = Bench(chosen.size, chosen.data.resolve(), chosen.runs, options, is_small=chosen.size == SMALL)
    lines = measured(bench, chosen.only)
    answer = document(bench, lines)
    print(heading(answer), end="\n\n")
    print(table(lines, bench.shape.rows))
    if chosen.json:
        chosen.json.write_text(json.dumps(answer, indent=1) + "\n", "utf-8")
    else:
        print("\n" + json.dumps(answer))


if __name__ == "__main__":
    main()
