"""The whole benchmark on a small bundle: every entry still measures what it says. Nothing here is about time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import SMALL
from benchmarks.entries import ENTRIES

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("benchmarks")

Line = dict[str, Any]


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What `python -m benchmarks --size small` prints, and the JSON that it writes."""
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", "--size", "small", "--runs", "1", "--json", str(folder / "json")]
    ended = subprocess.run(
        [*command, "--data", str(folder / "data")], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, json.loads((folder / "json").read_text("utf-8"))


@pytest.fixture(scope="module")
def lines(answer: tuple[str, dict[str, Any]]) -> dict[str, Line]:
    """The lines of the table by their name."""
    return {line["entry"]: line for line in answer[1]["entries"]}


def test_every_entry_gives_its_lines(lines: dict[str, Line]) -> None:
    """No entry is left out, and none dies."""
    assert {name for name in ENTRIES if not any(entry.startswith(name) for entry in lines)} == set()
    assert {entry: line["ended"] for entry, line in lines.items() if line["ended"]} == {}


def test_every_line_has_figures(lines: dict[str, Line]) -> None:
    """A line tells rows a second, or bytes a row; what is held against a baseline has a ratio."""
    for entry, line in lines.items():
        assert (line["rows_per_second"] or 0) > 0 or line["bytes_per_row"] > 0, entry
        assert (line["ratio"] or 0) > 0 or line["baseline"] is None, entry
        assert line["goal"] is None or line["is_met"] is None, entry


def test_analyses_and_joins_agree(lines: dict[str, Line]) -> None:
    """Whatever the layout, the key and the library: the same records were applied once, repeatedly and not at all."""
    counted = {entry: line["counts"] for entry, line in lines.items() if line["counts"]}
    assert len(counted) >= 13
    expected = counted["analyze-sealed"]
    assert {entry: counts for entry, counts in counted.items() if counts != expected} == {}
    assert expected["once"] + expected["duplicated"] + expected["absent"] == SMALL.rows
    assert min(expected["duplicated"], expected["absent"]) > 0


def test_analyses_say_what_they_took(lines: dict[str, Line]) -> None:
    """Every analysis and every join has its peak memory, and analyses are held against what was asked for."""
    measured = [line for entry, line in lines.items() if entry.split()[0] in {"joins", "growth"} or "analyze" in entry]
    assert all(0.01 < line["peak_gb"] < 2 for line in measured)
    stated = {line["goal"] for line in measured} - {None}
    assert {"≤ 10 ×, ≤ 1.5 GB", "≤ 15 ×, ≤ 2 GB", "≤ 1.5 ×, ≤ 6 GB", "≤ 11 ×"} <= stated


def test_the_table_has_every_line(answer: tuple[str, dict[str, Any]], lines: dict[str, Line]) -> None:
    """Standard output is the machine and the table, a row for every line."""
    machine, _, *shown = answer[0].splitlines()
    assert "cores" in machine
    assert [row.split("|")[1].strip() for row in shown[2:]] == list(lines)
