"""What the tests of the collectors share."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.lab.databases import database, needs_postgres, postgres  # noqa: F401  (fixtures)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle that is being captured: a folder with a drill.yaml."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "drill.yaml").write_text("schema_version: 1\n")
    return folder


@pytest.fixture
def captured() -> Callable[[Path, str], list[dict[str, Any]]]:
    """Reads every row of one evidence table, with page checksums verified."""

    def rows(bundle: Path, table: str) -> list[dict[str, Any]]:
        paths = sorted((bundle / "evidence" / table).glob("*.parquet"))
        read = [pq.read_table(path, page_checksum_verification=True) for path in paths]
        found: list[dict[str, Any]] = pa.concat_tables(read).to_pylist() if read else []
        return found

    return rows


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], float], None]:
    """Waits for a condition, and fails when its deadline (seconds) passes."""

    def wait(is_true: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while not is_true():
            assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
            pause.wait(0.01)

    return wait
