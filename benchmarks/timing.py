"""One run of whatever is measured, and what it writes into."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Run:
    """One run of one variant."""

    records: int
    seconds: float
    cpu_seconds: float
    """Of this process, all of its threads."""
    more: dict[str, float] = field(default_factory=dict)
    """What else was seen."""


def timed(work: Callable[[], int]) -> Run:
    """Do some work, which says how many records it was."""
    cpu_started, started = time.process_time(), time.perf_counter()
    records = work()
    return Run(records, time.perf_counter() - started, time.process_time() - cpu_started)


@contextmanager
def bundle_folder() -> Iterator[Path]:
    """A bundle that takes evidence, for the length of the block."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "drill.yaml").write_text("schema_version: 1\n", "utf-8")
        yield Path(folder)
