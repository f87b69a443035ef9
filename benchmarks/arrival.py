"""A bundle whose latest evidence arrives while it is watched."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bundle import linked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTS = 10
"""Of these the last arrives."""


@dataclass(frozen=True)
class Arrival:
    """The files that arrive, by their names in the bundle, and where they are until then."""

    names: Sequence[Path]
    bundle: Path
    aside: Path

    def happen(self) -> None:
        """Move them into the bundle."""
        self._move(self.aside, self.bundle)

    def undo(self) -> None:
        """Take them out of the bundle."""
        self._move(self.bundle, self.aside)

    def _move(self, source: Path, target: Path) -> None:
        for name in self.names:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).rename(target / name)


@contextmanager
def arriving(bundle: Path, without: Sequence[str]) -> Iterator[tuple[Path, Arrival]]:
    """A copy of a bundle, whose files are links, and the arrival of the last of them; `without` are left out of it.

    Of every table a tenth of the files arrive, but one at least; a file that is the only one is there from the start.
    """
    with tempfile.TemporaryDirectory(dir=bundle.parent, prefix=".arrival-") as folder:
        copy = Path(folder) / "bundle"
        shutil.copytree(bundle, copy, copy_function=linked, ignore=shutil.ignore_patterns(*without))
        tables = [sorted(table.iterdir()) for table in (copy / "evidence").iterdir()]
        latest = [path for files in tables if len(files) > 1 for path in files[-max(1, len(files) // PARTS) :]]
        yield copy, Arrival([path.relative_to(copy) for path in latest], copy, Path(folder) / "aside")
