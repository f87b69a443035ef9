"""Bundles for the command line: one small one a test, and four sealed ones whose verdicts are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.bundle.folders import BundleFolder
from tests.core.scorecard import damage
from tests.core.scorecard.passing import passing_drill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> BundleFolder:
    """A bundle with a definition and no evidence yet."""
    return BundleFolder(tmp_path / "bundle")


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles by how they end: pass, fail, inconclusive, and one that cannot be read. Their ids say the same."""
    root = tmp_path_factory.mktemp("judged")
    harms = {"pass": lambda _: None, "fail": damage.duplicated, "inconclusive": damage.unrecorded_step}
    for name, harm in harms.items():
        drill = passing_drill()
        drill.definition["id"] = name
        harm(drill)
        drill.write(root / name)
    BundleFolder(root / "broken").folder("acks").joinpath("a.parquet").touch()
    return {name: root / name for name in (*harms, "broken")}
