"""The benchmark of `rto compare` measures what it says: a library that can be compared, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compare import FAULTS, FLOWS, make_library, seconds_of
from rtoanalytics.compare import read_library

if TYPE_CHECKING:
    from pathlib import Path


def test_the_library_can_be_compared(tmp_path: Path) -> None:
    """Every drill is read, with its load and its recovery time, and the command comes to an outcome."""
    make_library(tmp_path, 45)
    library = read_library([tmp_path / "drills"])
    assert (len(library.drills), library.unread) == (45, ())
    assert {drill.burn_down.load_records_per_second is None for drill in library.drills} == {False}
    assert len({(drill.drill.flow.name, drill.inject) for drill in library.drills}) == FLOWS * FAULTS
    assert seconds_of(tmp_path, ["--json"]) > 0
