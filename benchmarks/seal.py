"""`python -m benchmarks.seal`: what `rto seal` takes, beside DuckDB sorting the same rows to Parquet and nothing more.

The bundle is in the order of capture, a file a minute. Sealing checks every value, sorts every table by all of its
columns, writes it in the sealed encodings with a checksum in every page, hashes every file and exchanges the evidence;
the plain sort is `COPY (SELECT * … ORDER BY topic, partition, record_offset) TO … (FORMAT parquet)` of acks and
applied, with 4 GB of memory. Both run in turn in processes of their own, on the same files. A second bundle, of at most
ten million records, has identities of 64 bytes. Nothing is asserted: the ratio travels, the seconds do not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from benchmarks.bundle import Shape, benchmark_bundle
from benchmarks.measuring import in_turn, machine, median_answer, peak_gb, run_python
from benchmarks.seal_once import SORTED, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measuring import Run

DATA = Path(__file__).parent / "data"
RUNS = 3
MOST_IDENTITIES = 10_000_000
"""Records of the bundle with identities; a larger one says the same and takes ten minutes to make."""


def results(rows: int, data: Path, runs: int) -> list[dict[str, Any]]:
    """Sealing and the plain sort of bundles of `rows` acknowledged records, medians of several runs taken in turn.

    Peak memory is the largest of all runs. Bundles are kept in `data`, where copies are made and removed again.
    """
    shapes = [
        Shape(rows=rows, order="captured"),
        Shape(rows=min(rows, MOST_IDENTITIES), order="captured", match="record_id"),
    ]
    return [measured(shape, data, runs) for shape in shapes]


def measured(shape: Shape, data: Path, runs: int) -> dict[str, Any]:
    """One line: the bundle of a shape, in the order of capture, sealed and sorted."""
    bundle = benchmark_bundle(shape, data)
    done = in_turn({way: lambda way=way: _once(way, bundle) for way in ("seal", "sort")}, runs)  # type: ignore[misc]
    seal_seconds, sort_seconds = (median_answer(done[way], "seconds") for way in ("seal", "sort"))
    pairs = zip(_seconds(done["seal"]), _seconds(done["sort"]), strict=True)
    return {
        "bundle": shape.name,
        "rows": sum(_rows(bundle, table) for table in SORTED),
        "seal_seconds": round(seal_seconds, 2),
        "sort_seconds": round(sort_seconds, 2),
        "ratio": round(statistics.median(seal / sort for seal, sort in pairs), 3),
        "seal_peak_gb": round(peak_gb(done["seal"]), 2),
        "sort_peak_gb": round(peak_gb(done["sort"]), 2),
        "seal_bytes_per_row": _bytes_per_row(bundle, done["seal"][0]),
        "sort_bytes_per_row": _bytes_per_row(bundle, done["sort"][0]),
        "shares": _shares(done["seal"]),
    }


def _once(way: str, bundle: Path) -> Run:
    """One run on a copy of the bundle, whose files are links: sealing replaces them and does not write into them."""
    with tempfile.TemporaryDirectory(dir=bundle.parent, prefix=".seal-") as folder:
        copy = Path(folder) / "bundle"
        shutil.copytree(bundle, copy, copy_function=_link, ignore=shutil.ignore_patterns("results", ".*"))
        return run_python("-m", "benchmarks.seal_once", way, str(copy))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copyfile(source, target)


def _seconds(runs: list[Run]) -> Iterator[float]:
    return (run.answer["seconds"] for run in runs if run.answer)


def _bytes_per_row(bundle: Path, run: Run) -> dict[str, float]:
    sizes = run.answer["bytes"] if run.answer else {}
    return {table: round(size / _rows(bundle, table), 3) for table, size in sizes.items()}


def _rows(bundle: Path, table: str) -> int:
    return sum(pq.read_metadata(path).num_rows for path in (bundle / "evidence" / table).glob("*.parquet"))


def _shares(runs: list[Run]) -> dict[str, float]:
    """Parts of the time that each step of sealing takes; the rest is opening the bundle."""
    answers = [run.answer for run in runs if run.answer]
    whole = sum(answer["seconds"] for answer in answers)
    return {step: round(sum(answer["steps"].get(step, 0.0) for answer in answers) / whole, 3) for step in STEPS}


def table(rows: list[dict[str, Any]]) -> str:
    """The results for people."""
    names = ("seal s", "sort s", "ratio", "seal GB", "sort GB", "acks B/row", "applied B/row", "sort's")
    lines = [f"{'':<58}" + "".join(f" {name:>13}" for name in names)]
    for row in rows:
        seal, sort = row["seal_bytes_per_row"], row["sort_bytes_per_row"]
        numbers = [
            f"{row[name]:.2f}" for name in ("seal_seconds", "sort_seconds", "ratio", "seal_peak_gb", "sort_peak_gb")
        ]
        numbers += [f"{seal['acks']:.2f}", f"{seal['applied']:.2f}", f"{sort['acks']:.2f}, {sort['applied']:.2f}"]
        lines.append(f"{row['bundle']:<58}" + "".join(f" {number:>13}" for number in numbers))
        shares = ", ".join(f"{step} {share:.0%}" for step, share in row["shares"].items())
        lines.append(f"  of sealing: {shares}")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seal", description="Measure rto seal.")
    parser.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="records (default 10000000)")
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"runs of each (default {RUNS})")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="where the bundles are kept")
    chosen = parser.parse_args()
    rows = results(chosen.rows, chosen.data, chosen.runs)
    where = machine()
    print(", ".join(f"{name} {value}" for name, value in where.items()), end="\n\n")
    print(table(rows), end="\n\n")
    print(json.dumps({"machine": where, "runs": chosen.runs, "results": rows}))


if __name__ == "__main__":
    main()
