"""The benchmark still runs, and its bundle still is what it says. Nothing here is about time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bundle import Shape, benchmark_bundle, write_bundle
from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.bundle import check_bundle
from rtoanalytics.queries import load_queries

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = Shape(rows=20_001, seconds=60, topics=2, partitions=3)


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file of a bundle."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_shape_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two machines measure the same bundle: nothing in it is left to chance."""
    for name in ("one", "other"):
        write_bundle(SMALL, tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "other")


def test_a_bundle_is_made_once(tmp_path: Path) -> None:
    """A bundle that stands already is taken as it is; one that was begun and not finished is not taken."""
    (tmp_path / f".{SMALL.name}.tmp" / "evidence").mkdir(parents=True)
    root = benchmark_bundle(SMALL, tmp_path)
    made = (root / "drill.yaml").stat().st_mtime_ns
    assert benchmark_bundle(SMALL, tmp_path) == root
    assert (root / "drill.yaml").stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [root.name]


@pytest.mark.parametrize("identities", [False, True])
def test_the_bundle_tells_the_story(tmp_path: Path, identities: bool) -> None:
    """Every record is there once; a few in a hundred were applied twice, a few in ten thousand never or late."""
    shape = Shape(rows=200_000, seconds=600, topics=2, partitions=3, identities=identities)
    root = tmp_path / "bundle"
    write_bundle(shape, root)
    assert not check_bundle(root)
    scorecard = analyze_bundle(root)
    totals = scorecard["totals"]
    assert totals["acked"] == shape.rows
    assert totals["once"] + totals["duplicated"] + totals["skipped"] == shape.rows
    assert 0.02 < totals["duplicated"] / shape.rows < 0.04
    assert 0 < totals["skipped"] / shape.rows < 0.001
    assert 0 < totals["reordered"] / shape.rows < 0.001
    assert scorecard["recovery"]["outcome"] == "restored"


def test_the_entry_measures_everything(tmp_path: Path) -> None:
    """`python -m benchmarks` prints a table and, last, one line of JSON with ratio, memory, machine and every query."""
    command = [sys.executable, "-m", "benchmarks", "--rows", "2k", "--seconds", "60", "--runs", "1"]
    command += ["--data", str(tmp_path)]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout.splitlines()[-1])
    assert document["machine"].keys() >= {"cores", "memory_gb", "duckdb", "python"}
    for result in document["results"]:
        assert result["ratio"] > 0
        assert result["peak_gb"] > 0
        assert {f"query {name}" for name in load_queries()} < result["steps"].keys()
