"""A bundle folder for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.core.bundle.folders import BundleFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> BundleFolder:
    """A bundle with a definition and no evidence yet."""
    return BundleFolder(tmp_path / "bundle")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB, far from UTC, so that nothing depends on the session's time zone by luck."""
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'Pacific/Auckland'")
        yield opened
