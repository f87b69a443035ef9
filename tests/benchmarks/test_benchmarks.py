"""The bundles of the benchmark are what they say, and so are the processes that measure them. Nothing is about time."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.dataset as ds
import pytest

from benchmarks.bundle import Shape, benchmark_bundle, write_bundle
from benchmarks.figures import GOAL_ROWS, Figures, Goal, table
from benchmarks.measuring import Guard, in_turn, peak_gb, run_python, steps_inside
from benchmarks.scan import HELD_BY_NONE, READ, scan
from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.bundle import check_bundle
from rtoanalytics.engines.plan import lost_views
from rtoanalytics.queries import in_order, load_queries
from rtoanalytics.schemas import TABLES
from rtoanalytics.seal import SealStatus, seal_bundle, sealed_state

if TYPE_CHECKING:
    from datetime import datetime

REPOSITORY = Path(__file__).resolve().parents[2]
SMALL = Shape(rows=20_001, seconds=150, topics=2, partitions=3)
CAPTURED = replace(SMALL, order="captured")
VARIANTS = (
    SMALL,
    CAPTURED,
    replace(SMALL, log_records=True),
    replace(CAPTURED, log_records=True),
    replace(CAPTURED, match="record_id"),
)
BULKY = "import time; bulk = bytearray(300_000_000); bulk[::4096] = b'x' * len(bulk[::4096]); time.sleep(60)"


def named(shape: Shape) -> str:
    """The variant, as a test's name."""
    return "-".join(filter(None, [shape.order, shape.match, "log" * shape.log_records]))


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file of a bundle."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def instants(files: list[Path], column: str) -> list[datetime]:
    """The values of one column, file after file."""
    values: list[datetime] = ds.dataset(files).to_table(columns=[column]).column(0).to_pylist()  # type: ignore[assignment]
    return values


@pytest.mark.parametrize("shape", VARIANTS, ids=named)
def test_the_same_shape_gives_the_same_bytes(tmp_path: Path, shape: Shape) -> None:
    """Two machines measure the same bundle: nothing in it is left to chance."""
    for name in ("one", "other"):
        write_bundle(shape, tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "other")


@pytest.mark.parametrize("has_log", [False, True])
def test_sealing_what_was_captured_gives_the_sealed_bundle(tmp_path: Path, has_log: bool) -> None:
    """The sealed bundle is what `rto seal` makes of the captured one, byte for byte, manifest included."""
    captured, sealed = tmp_path / "captured", tmp_path / "sealed"
    write_bundle(replace(CAPTURED, log_records=has_log), captured)
    write_bundle(replace(SMALL, log_records=has_log), sealed)
    seal_bundle(captured)
    assert digests(captured) == digests(sealed)
    assert sealed_state(sealed).status is SealStatus.SEALED


def test_captured_files_are_in_the_order_of_events(tmp_path: Path) -> None:
    """A collector writes a file a minute, and in each file what happened first stands first."""
    write_bundle(CAPTURED, tmp_path / "bundle")
    for name, instant in {"acks": "acked_at", "watermarks": "observed_at"}.items():
        files = sorted((tmp_path / "bundle" / "evidence" / name).glob("*.parquet"))
        assert len(files) == SMALL.seconds // 60 + (name == "acks")
        happened = instants(files, instant)
        assert happened == sorted(happened)


def test_effects_are_written_in_batches_and_replays_between_them(tmp_path: Path) -> None:
    """No effect lies far from where its instant belongs, also while the group catches up."""
    write_bundle(CAPTURED, tmp_path / "bundle")
    files = sorted((tmp_path / "bundle" / "evidence" / "applied").glob("*.parquet"))
    happened = instants(files, "applied_at")
    latest = happened[0]
    for instant in happened:
        assert latest - instant < timedelta(seconds=0.2)
        latest = max(latest, instant)


def test_a_bundle_is_made_once(tmp_path: Path) -> None:
    """A bundle that stands already is taken as it is; one that was begun and not finished is not taken."""
    (tmp_path / f".{SMALL.name}.tmp" / "evidence").mkdir(parents=True)
    root = benchmark_bundle(SMALL, tmp_path)
    made = (root / "drill.yaml").stat().st_mtime_ns
    assert benchmark_bundle(SMALL, tmp_path) == root
    assert (root / "drill.yaml").stat().st_mtime_ns == made
    assert [path.name for path in tmp_path.iterdir()] == [root.name]


def test_identities_in_sealed_order_are_not_made() -> None:
    """A shape that the generator cannot give is refused, not given as something else."""
    with pytest.raises(ValueError, match="captured"):
        replace(SMALL, match="record_id")


@pytest.mark.parametrize("shape", VARIANTS, ids=named)
def test_the_bundle_tells_the_story(tmp_path: Path, shape: Shape) -> None:
    """Every variant is the same drill: a few in a hundred applied twice, a few in ten thousand never or late."""
    shape = replace(shape, rows=200_000, seconds=600)
    root = benchmark_bundle(shape, tmp_path)
    assert not check_bundle(root)
    scorecard = analyze_bundle(root)
    totals = scorecard["totals"]
    assert totals["acked"] == shape.rows
    assert totals["once"] + totals["duplicated"] + totals["skipped"] + totals["pending"] == shape.rows
    assert (totals["duplicated"], totals["skipped"], totals["reordered"]) == (5600, 40, 46)
    assert totals["log_missing"] == (16 if shape.log_records else 0)
    assert scorecard["recovery"]["outcome"] == "restored"


@pytest.mark.parametrize("shape", VARIANTS, ids=named)
def test_the_scan_reads_every_row_of_what_is_there(tmp_path: Path, shape: Shape) -> None:
    """The scan reads all large tables of a bundle, with every column of them that the chain reads and that is held."""
    root = benchmark_bundle(shape, tmp_path)
    folders = [root / "evidence" / name for name in READ if (root / "evidence" / name).is_dir()]
    assert scan(root)["rows"] == sum(ds.dataset(folder).count_rows() for folder in folders)
    assert len(folders) == 2 + shape.log_records


@pytest.mark.parametrize("name", READ)
def test_the_scan_reads_what_the_chain_reads(name: str) -> None:
    """A column that no query names is not in the baseline, and none that one names is missing there."""
    readers = [query.sql for query in load_queries().values() if name in query.reads]
    named_by = {
        column.name: [sql for sql in readers if re.search(rf"\b{column.name.removesuffix('_at')}(_us|_at)?\b", sql)]
        for column in TABLES[name].columns
    }
    assert {column for column, found in named_by.items() if found} == {*READ[name], *HELD_BY_NONE[name]}


def test_the_steps_are_those_of_an_analysis(tmp_path: Path) -> None:
    """Every query that an analysis runs has its seconds, beside what is done before and after the chain."""
    steps = steps_inside(benchmark_bundle(SMALL, tmp_path))
    queries = load_queries()
    ran = set(queries) - lost_views(in_order(queries))
    assert {f"query {name}" for name in ran} | {"imports", "check values", "results"} <= steps.keys()


def test_a_process_over_its_limits_is_a_result() -> None:
    """What takes too long or too much is ended, and the benchmark says so and goes on."""
    slow = run_python("-c", "import time; time.sleep(60)", guard=Guard(seconds=0.2))
    bulky = run_python("-c", BULKY, guard=Guard(gigabytes=0.2))
    assert (slow.answer, slow.ended) == (None, "over 0.2 s")
    if sys.platform == "linux":
        assert (bulky.answer, bulky.ended) == (None, "over 0.2 GB")
        assert 0.2 < peak_gb([bulky]) < 1


def test_a_process_that_dies_is_a_result() -> None:
    """The last line it said and its status tell why; it is not run again."""
    died = in_turn({"dies": lambda: run_python("-c", "raise SystemExit('no memory')")}, 3)
    assert [run.ended for run in died["dies"]] == ["status 1: no memory"]


def test_memory_is_that_of_the_process_alone() -> None:
    """However large the process that measures is, what it starts is not counted as that large."""
    held = bytearray(400_000_000)
    held[::4096] = b"x" * len(held[::4096])
    run = run_python("-c", "print('{}')")
    assert run.peak_gb < 0.1
    assert 0 < run.cpu_seconds < 60


@pytest.mark.parametrize(
    ("figures", "is_met"),
    [
        (Figures("slow", ratio=11.0, peak_gb=1.0, goal=Goal(most_ratio=10, most_gb=1.5)), False),
        (Figures("fast", ratio=9.0, peak_gb=1.0, goal=Goal(most_ratio=10, most_gb=1.5)), True),
        (Figures("large", ratio=9.0, peak_gb=1.6, goal=Goal(most_ratio=10, most_gb=1.5)), False),
        (Figures("half", ratio=0.49, goal=Goal(least_ratio=0.5)), False),
        (Figures("wide", bytes_per_row=0.9, goal=Goal(most_bytes_per_row=1)), True),
        (Figures("lame", per_second=19_000, goal=Goal(least_per_second=20_000)), False),
        (Figures("dead", goal=Goal(most_ratio=10), ended="over 14 GB"), False),
        (Figures("free", ratio=3.0), None),
    ],
)
def test_goals_are_judged_at_their_size_only(figures: Figures, is_met: bool | None) -> None:
    """A goal is met or not at the size it is stated for; a smaller bundle says nothing about it."""
    assert figures.is_met(GOAL_ROWS) is is_met
    assert figures.is_met(GOAL_ROWS // 10) is None


def test_the_table_says_what_did_not_end() -> None:
    """An entry that died has its reason where others have their seconds."""
    lines = [Figures("join", rows=5, seconds=2.0, baseline="scan", ratio=4.0), Figures("merge", ended="over 14 GB")]
    shown = table(lines, 5).splitlines()
    told = [cell.strip() for cell in shown[2].split("|")]
    assert told[1:8] == ["join", "5", "2.00", "", "2", "scan", "4.00"]
    assert "| over 14 GB |" in shown[3]


def test_what_is_asked_for_is_measured(tmp_path: Path) -> None:
    """`--only` runs one entry; the answer's last line is JSON with the machine and the figures of that entry."""
    command = [sys.executable, "-m", "benchmarks", "--size", "small", "--runs", "1", "--only", "layout"]
    answer = subprocess.run(
        [*command, "--data", str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    document = json.loads(answer.stdout.splitlines()[-1])
    assert document["machine"].keys() >= {"cores", "memory_gb", "duckdb", "python"}
    assert [line["entry"] for line in document["entries"]] == ["layout acks", "layout applied", "layout log_records"]
    assert all(0 < line["bytes_per_row"] < 2 for line in document["entries"])
