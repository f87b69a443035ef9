"""`rto compare`: what it reads, how it ends, and what it refuses with one clear message."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from rtoanalytics.analysis import analyze_bundle
from tests.core.bundle.folders import BundleFolder
from tests.core.cli.endings import Ending, refused, rto
from tests.core.compare.libraries import Facts, quarters, story, with_id, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Harm = Callable[[Path], object]

AS_OF = ("--as-of", "2026-11-23")


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two comparable drills, side by side in one folder."""
    return [write_bundle(tmp_path / "drills", facts) for facts in quarters(2)]


def compare(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Ending:
    """Run `rto compare` as of a fixed day."""
    return rto(capsys, "compare", *AS_OF, *arguments)


@pytest.mark.parametrize(
    ("changed", "status", "word"),
    [
        ({}, 0, "NOT REGRESSED"),
        ({"rta": (70.0, 71.0)}, 1, "REGRESSED"),
        ({"rta": None}, 2, "CANNOT BE TOLD"),
    ],
)
def test_the_exit_status_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], status: int, word: str
) -> None:
    """0 not regressed, 1 regressed, 2 cannot be told; the first words say the same."""
    old, new = quarters(2)
    write_bundle(tmp_path, old)
    write_bundle(tmp_path, replace(new, **changed))
    ending = compare(capsys, tmp_path)
    assert (ending.status, ending.talk) == (status, "")
    assert word in ending.answer.splitlines()[0]


def test_a_single_drill_cannot_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One drill has nothing to be compared with, and neither has one that is named twice."""
    bundle = write_bundle(tmp_path, quarters(1)[0])
    for arguments in ([bundle], [bundle, bundle], [tmp_path, bundle, bundle / ".." / bundle.name]):
        ending = compare(capsys, "--json", *arguments)
        assert ending.status == 2
        assert len(json.loads(ending.answer)["drills"]) == 1


def test_the_order_of_bundles_does_not_matter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bundles in any order give the same bytes, as text, JSON and CSV."""
    bundles = [write_bundle(tmp_path, facts) for facts in story()]
    for form in ([], ["--json"], ["--csv"]):
        answers = {compare(capsys, *form, *some).answer for some in (bundles, bundles[::-1], bundles[4:] + bundles[:4])}
        assert len(answers) == 1


def test_a_library_of_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bundles are found at any depth below a folder; hidden folders are passed over."""
    old, new = quarters(2)
    write_bundle(tmp_path / "2026" / "q3", old)
    write_bundle(tmp_path / "2026" / "q4" / "payments", new)
    write_bundle(tmp_path / ".trash", with_id(old, "thrown-away"))
    document = json.loads(compare(capsys, "--json", tmp_path).answer)
    assert [drill["drill"] for drill in document["drills"]] == ["q0", "q1"]


def test_csv_is_csv(two: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Any reader of CSV gets a row for each drill and measure, with empty fields for what is not known."""
    rows = list(csv.DictReader(compare(capsys, "--csv", *two).answer.splitlines()))
    assert {row["drill"] for row in rows} == {"q0", "q1"}
    assert next(row for row in rows if row["drill"] == "q1" and row["measure"] == "recovery_time")["low"] == "23.0"


def test_html_is_written_beside_the_answer(two: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page is one file; the answer stands on standard output all the same."""
    page = tmp_path / "page.html"
    ending = compare(capsys, "--html", page, *two)
    assert ending.talk == f"wrote {page}\n"
    assert "NOT REGRESSED" in ending.answer
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_across_and_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drills that differ are compared when that is asked for, by aspect or by a wider ratio of loads."""
    old, new = quarters(2)
    for facts in (old, replace(new, load=250.0, rto_seconds=60.0)):
        write_bundle(tmp_path, facts)
    ask = ("--across", "definition")
    assert compare(capsys, tmp_path).status == 2
    assert compare(capsys, tmp_path, *ask).status == 2
    for more in (("--across", "load"), ("--load-ratio", "2.5"), ("--across", "all")):
        assert compare(capsys, tmp_path, *ask, *more).status == 0


def test_an_analyzed_bundle_can_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `rto analyze` writes is what `rto compare` reads: of a bundle without evidence nothing is known."""
    root = BundleFolder(tmp_path / "bundle").root
    analyze_bundle(root)
    ending = compare(capsys, "--json", root)
    assert ending.status == 2
    (drill,) = json.loads(ending.answer)["drills"]
    assert {measure["low"] for measure in drill["measures"]} == {None}


def older(bundle: Path) -> None:
    """Results from before the definition was changed."""
    for path in (bundle / "results").iterdir():
        os.utime(path, (1, 1))


def scorecard(old: str, new: str) -> Harm:
    """A scorecard in which something stands that cannot be."""

    def harm(bundle: Path) -> None:
        path = bundle / "results" / "scorecard.json"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return harm


def cut(bundle: Path) -> None:
    """A scorecard of which the end is missing."""
    path = bundle / "results" / "scorecard.json"
    path.write_bytes(path.read_bytes()[:500])


def no_parquet(bundle: Path) -> None:
    """Text where Parquet should be."""
    (bundle / "results" / "burn_down.parquet").write_text("none")


def other_columns(bundle: Path) -> None:
    """A relation of another version."""
    pl.DataFrame({"a": [1]}).write_parquet(bundle / "results" / "coverage.parquet")


HARMS: dict[str, tuple[Harm, tuple[str, ...]]] = {
    "no results": (lambda bundle: shutil.rmtree(bundle / "results"), ("scorecard.json", "rto analyze")),
    "results older than the definition": (older, ("older", "rto analyze")),
    "a relation missing": (lambda bundle: (bundle / "results" / "lag.parquet").unlink(), ("rto analyze",)),
    "cut scorecard": (cut, ("scorecard.json", "rto analyze")),
    "another version": (scorecard('"schema_version": 1', '"schema_version": 2'), ("schema_version", "rto analyze")),
    "a verdict nobody knows": (scorecard('"verdict": "pass"', '"verdict": "perhaps"'), ("verdict", "rto analyze")),
    "NaN": (scorecard('"rta_seconds_low": 23.0', '"rta_seconds_low": NaN'), ("rta_seconds_low", "rto analyze")),
    "another drill's results": (scorecard('"id": "q1"', '"id": "q9"'), ("older", "rto analyze")),
    "no Parquet": (no_parquet, ("burn_down.parquet", "rto analyze")),
    "Parquet of another version": (other_columns, ("coverage.parquet", "table_name", "rto analyze")),
    "a definition that is none": (lambda bundle: (bundle / "drill.yaml").write_text("flow: 3"), ("drill.yaml",)),
}


@pytest.mark.parametrize("what", HARMS)
def test_a_broken_bundle_does_not_stop_the_others(
    two: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """One message that names the bundle and what to do; the others are compared; status 3."""
    harm, words = HARMS[what]
    write_bundle(tmp_path / "drills", Facts("q-before", date(2025, 1, 1)))
    harm(two[1])
    ending = compare(capsys, "--json", tmp_path / "drills")
    assert ending.status == 3
    assert len(ending.talk.splitlines()) == 1, ending.talk
    assert ending.talk.startswith(f"rto: {two[1]}: ")
    assert all(word in ending.talk for word in words), ending.talk
    document = json.loads(ending.answer)
    assert [drill["drill"] for drill in document["drills"]] == ["q-before", "q0"]
    assert [item["bundle"] for item in document["not_read"]] == [str(two[1])]


@pytest.mark.parametrize("what", HARMS)
def test_a_broken_bundle_alone(two: list[Path], capsys: pytest.CaptureFixture[str], what: str) -> None:
    """With nothing to compare there is no answer."""
    HARMS[what][0](two[1])
    refused(compare(capsys, two[1]), str(two[1]), lines=1)


@pytest.mark.usefixtures("two")
def test_an_id_that_stands_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two bundles with one id nobody can tell which is the drill: both are named and left out."""
    write_bundle(tmp_path / "copy", quarters(2)[0])
    ending = compare(capsys, "--json", tmp_path)
    assert ending.status == 3
    assert len(ending.talk.splitlines()) == 2
    assert "unique" in ending.talk
    assert [drill["drill"] for drill in json.loads(ending.answer)["drills"]] == ["q1"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ("BUNDLE",)),
        (["nowhere"], ("nowhere", "no such folder", "drill.yaml")),
        (["a-file"], ("a-file", "a file", "drill.yaml")),
        (["empty"], ("empty", "no drill.yaml", "bundles")),
        (["--json", "--csv", "drills"], ("--json", "--csv", "choose one")),
        (["--load-ratio", "0.5", "drills"], ("load-ratio", "0.5")),
        (["--load-ratio", "nan", "drills"], ("load-ratio", "nan", "1.25")),
        (["--load-ratio", "inf", "drills"], ("load-ratio", "inf")),
        (["--cadence-days", "0", "drills"], ("cadence-days", "0", "92")),
        (["--as-of", "yesterday", "drills"], ("as-of", "yesterday", "%Y-%m-%d")),
        (["--across", "color", "drills"], ("across", "color", "definition")),
        (["--html", "nowhere/page.html", "drills"], ("nowhere/page.html", "cannot be written")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("two")
def test_bad_usage_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: tuple[str, ...],
) -> None:
    """One message with what was found and what is allowed, no answer, status 3."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    (tmp_path / "empty").mkdir()
    refused(rto(capsys, "compare", *arguments), *words)
