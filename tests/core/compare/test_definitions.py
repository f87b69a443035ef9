"""The quick way to read drill.yaml gives what the careful one gives, or leaves the file to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from rtoanalytics.compare.definitions import read_definition
from rtoanalytics.drill import STARTING_FILE, load_drill
from rtoanalytics.errors import DrillError
from tests.core.compare.libraries import Facts, definition
from tests.core.scorecard.passing import DEFINITION

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {
    "full": DEFINITION,
    "starting": STARTING_FILE.format(id="new"),
    "ours": yaml.safe_dump(definition(Facts("a", monthly=2.5))),
    "star": STARTING_FILE.format(id="new").replace("payments-platform", '"*everybody & co"'),
}


@pytest.mark.parametrize("text", TEXTS)
def test_same_drill(tmp_path: Path, text: str) -> None:
    """Both ways read the same facts, instants and numbers included."""
    path = tmp_path / "drill.yaml"
    path.write_text(TEXTS[text], "utf-8")
    assert read_definition(path) == load_drill(path)


@pytest.mark.parametrize("text", ["", "- a", "{", "id: 3\n", "a: &b [*b, *b]\n", "\x00", "2026-01-01: 2026-01-01\n"])
def test_same_refusal(tmp_path: Path, text: str) -> None:
    """What is no definition is refused in the words of the careful way."""
    path = tmp_path / "drill.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DrillError) as careful:
        load_drill(path)
    with pytest.raises(DrillError) as quick:
        read_definition(path)
    assert str(quick.value) == str(careful.value)
