"""The scorecard of the bundle that passes, once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.scorecard.passing import Scorecard, passing_drill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Scorecard:
    """What the undamaged, sealed bundle is judged to be."""
    return passing_drill().judge(tmp_path_factory.mktemp("passing") / "bundle")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the bundle of a test is written; nothing stands there yet."""
    return tmp_path / "bundle"
