"""Whole outputs compared as bytes.

After a change that is meant, write the files anew and read the difference before it goes in:

    UPDATE_GOLDEN=1 make test ARGS="tests/core/report tests/core/charts"
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")


def assert_golden(name: str, text: str) -> None:
    """Hold a text to the file of that name, byte by byte."""
    _assert_same(FOLDER / name, text)


def assert_golden_in(test: str, name: str, text: str) -> None:
    """The same, for goldens beside another test file."""
    _assert_same(Path(test).with_name("golden") / name, text)


def _assert_same(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    assert path.read_bytes() == text.encode(), f"{path.name} differs; UPDATE_GOLDEN=1 writes it anew"
