"""What README.md and docs/first-bundle.md tell the reader to type works as they say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.core.docs.walkthrough import Walkthrough, missing

REPOSITORY = Path(__file__).resolve().parents[3]
README = (REPOSITORY / "README.md").read_text("utf-8")
FIRST_BUNDLE = (REPOSITORY / "docs" / "first-bundle.md").read_text("utf-8")


def section(heading: str) -> str:
    """One section of the README."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples write into the current folder: an empty one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def test_first_bundle_page(capsys: pytest.CaptureFixture[str]) -> None:
    """Each step of docs/first-bundle.md ends with the status and the words that the page shows."""
    walk = Walkthrough(capsys, "payments-drill")
    walk.follow(FIRST_BUNDLE)
    assert [command for command in walk.commands if command.startswith("rto analyze")]


def test_first_bundle_in_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    """The README's first bundle can be made, checked, analyzed and asked as it shows."""
    walk = Walkthrough(capsys, "my-drill")
    walk.follow(section("A first bundle of your own"))
    assert [command.split()[1] for command in walk.commands] == ["init", "check", "analyze", "sql"]


def test_the_samples_can_be_analyzed_reported_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's commands work on the samples without a cluster; what real brokers did is not called simulated."""
    shutil.copytree(REPOSITORY / "sample_data", tmp_path / "sample_data")
    walk = Walkthrough(capsys, "no-bundle")
    walk.follow(section("Drills to look at"))
    assert [command.split()[1] for command in walk.commands] == ["analyze", "report", "sql", "analyze", "compare"]
    report = (tmp_path / "sample_data/overwritten-log/results/report.html").read_text("utf-8")
    assert "<dt>Simulated clusters</dt><dd>none</dd>" in report


def test_the_first_example_is_about_ten_lines() -> None:
    """The README's Python example stays short enough to be read."""
    example = section("A first bundle of your own").split("```python\n")[1].split("```")[0]
    assert len(example.splitlines()) <= 12


@pytest.mark.parametrize(
    ("shown", "output", "left"),
    [("a …", "a b", []), ("… b", "a\n  b", []), ("b … a", "a b", ["a"]), ("c", "a b", ["c"]), ("", "", [])],
)
def test_what_is_shown_is_looked_for_in_order(shown: str, output: str, left: list[str]) -> None:
    """Text that is not in the output, or not in that order, is found out; what `…` stands for is not looked at."""
    assert missing(shown, output) == left
