"""docs/compare.md is true: its example runs, and every key, column, measure and aspect stands on it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from rtoanalytics.compare import Aspect
from rtoanalytics.compare.measures import MEASURES
from rtoanalytics.compare.rows import COLUMNS
from tests.core.compare.libraries import compared, story
from tests.core.docs.walkthrough import Walkthrough

REPOSITORY = Path(__file__).resolve().parents[3]
TEXT = (REPOSITORY / "docs" / "compare.md").read_text("utf-8")
NAMED = set(re.findall(r"`(\w+)`", TEXT))


def test_the_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of the page ends with the status and the words that it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(REPOSITORY / "sample_data", tmp_path / "sample_data")
    walk = Walkthrough(capsys, "no-bundle")
    walk.follow(TEXT)
    assert [command.split()[1] for command in walk.commands] == ["analyze", "compare"]


def test_every_part_of_the_document_is_named() -> None:
    """Top-level keys, keys of drills, columns of the CSV, measures, and directions of a trend."""
    document: dict[str, Any] = compared(*story())
    wanted = {*document, *document["drills"][0], *COLUMNS, *(measure.name for measure in MEASURES)}
    assert sorted(wanted - {"schema_version"} - NAMED) == []


@pytest.mark.parametrize("aspect", Aspect)
def test_every_aspect_is_named(aspect: Aspect) -> None:
    """Each aspect has its row in the table of comparability."""
    assert re.search(rf"^\| `{aspect.value}` \| .* \| `{aspect.value}` \|$", TEXT, re.MULTILINE)
