"""The whole scorecard of two fixed bundles, byte by byte: the one that passes, and one with a bit of everything.

After a change that is meant, write the files anew and read the difference before it goes in:

    UPDATE_GOLDEN=1 make test ARGS="tests/core/golden"
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.results import FOLDER, SCORECARD
from tests.core.scorecard import damage
from tests.core.scorecard.passing import Drill, passing_drill

if TYPE_CHECKING:
    from collections.abc import Callable


def damaged() -> Drill:
    """Two outages, duplicates, a loss, a skip, a swap, a failed produce, a late step and a missing review."""
    drill = passing_drill((2.0, 20.0), (40.0, 47.0))
    for harm in (
        damage.duplicated,
        damage.lost,
        damage.skipped,
        damage.reordered,
        damage.failed_produce,
        damage.late_step,
        damage.missing_attachment,
        damage.one_broker_less,
        damage.three_intervals_without_acks,
    ):
        harm(drill)
    return drill


@pytest.mark.parametrize(("name", "made"), [("passing", passing_drill), ("damaged", damaged)])
def test_scorecard_is_the_same_to_the_byte(tmp_path: Path, name: str, made: Callable[[], Drill]) -> None:
    """results/scorecard.json of a fixed bundle never changes but by intention."""
    made().judge(tmp_path / "bundle")
    content = (tmp_path / "bundle" / FOLDER / SCORECARD).read_bytes()
    golden = Path(__file__).with_name(f"{name}.{SCORECARD}")
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_bytes(content)
    assert content == golden.read_bytes(), f"{golden.name} differs; UPDATE_GOLDEN=1 writes it anew"
