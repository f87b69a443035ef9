"""Applied: the effects in files by a pattern: Parquet, CSV and JSON lines, also while they grow.

Files are known by their names and only grow: one that shrank is refused, because what was read of it is no longer
there. A file that is renamed counts as another one. Names that begin with "." or "_" are left out: that is how
writers call what is not finished.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from rtoanalytics.errors import ClusterError
from rtoanalytics_collectors.applied.file_formats import Read, reader_of
from rtoanalytics_collectors.applied.layout import Layout, rows_of, with_values
from rtoanalytics_collectors.applied.seen import SeenEffects, captured_effects
from rtoanalytics_collectors.failures import PartialLookError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rtoanalytics_collectors.sampling import Sample
    from rtoanalytics_collectors.spool import Row


@dataclass
class _File:
    """How far one file was read."""

    read: Read
    rows: int = 0
    mark: int = 0
    """Where its format goes on."""
    seen: tuple[int, int] | None = None
    """Size and modification instant when it had been read to its end."""


class FilesApplied:
    """Effects of one downstream that writes files, each read once. Not thread-safe."""

    tables = ("applied",)
    is_continuous = True

    def __init__(self, downstream: str, pattern: str, layout: Layout) -> None:
        """Name the files, as in `out/**/*.parquet`, relative to the current folder; nothing is opened yet."""
        self.target = downstream
        self._pattern = pattern
        self._layout = layout
        self._files: dict[str, _File] = {}
        self._known: dict[str, None] = {}
        self._seen = SeenEffects()

    def resume(self, captured: Iterable[Row]) -> None:
        """Leave out effects that are captured already."""
        self._seen.remember(captured_effects(captured, self.target))

    def collect(self) -> Sample:
        """Read what is new in every file.

        Raises TransientError when no file matches the pattern: nobody can vouch for what may be written to another
        place. Once one is there, it has everything that was applied before. Raises PartialLookError, with what the
        others had, when a file cannot be read (yet) or is not what the layout says.
        """
        rows: list[Row] = []
        unread: list[str] = []
        paths = self._paths()
        if not paths:
            msg = f'downstream "{self.target}": no file matches "{self._pattern}" (yet); check the pattern'
            raise TransientError(msg)
        for path in paths:
            try:
                for grown in self._read(path):
                    rows += grown
            except (OSError, ClusterError) as error:
                unread.append(str(error))
        if unread:
            msg = f'downstream "{self.target}": {"; ".join(unread)}'
            raise PartialLookError(msg, {"applied": rows})
        return {"applied": rows}

    def _paths(self) -> list[Path]:
        found = (Path(name) for name in glob.glob(self._pattern, recursive=True))  # noqa: PTH207  (absolute ones too)
        return sorted(path for path in found if path.is_file() and path.name[0] not in "._")

    def _read(self, path: Path) -> Iterator[list[Row]]:
        """Rows of what the file has grown by, piece by piece."""
        name = path.as_posix()
        file = self._files.get(name) or _File(reader_of(path))
        self._files[name] = file
        status = path.stat()
        state = (status.st_size, status.st_mtime_ns)
        while state != file.seen:
            growth = file.read(path, file.mark, file.rows)
            yield self._rows(growth.effects, file, name)
            file.rows += growth.effects.num_rows
            file.mark = growth.mark
            if growth.is_at_end:
                file.seen = state if growth.is_complete else None
                return

    def _rows(self, effects: pa.Table, file: _File, name: str) -> list[Row]:
        if not effects.num_rows:
            return []
        found = self._layout.found_in(self._names(effects), name)
        applied = self._layout.evidence(_with_missing(effects, found.values()), found, name)
        if "application_id" not in found:
            numbers = [f"{name}#{row}" for row in range(file.rows, file.rows + effects.num_rows)]
            applied = with_values(applied, application_id=pa.chunked_array([pa.array(numbers, pa.string())]))
        fresh: dict[str, None] = {}
        rows = rows_of(self._seen.only_new(with_values(applied, downstream=self.target), fresh))
        self._seen.remember(fresh)
        return rows

    def _names(self, effects: pa.Table) -> list[str]:
        """The columns of a file, and those that the downstream has had before: a line may leave some out."""
        self._known |= dict.fromkeys(effects.column_names)
        return list(self._known)


def _with_missing(effects: pa.Table, names: Iterable[str]) -> pa.Table:
    """The effects with a null column for every name that none of them has."""
    for name in names:
        if name not in effects.column_names:
            effects = effects.append_column(name, pa.array([None] * effects.num_rows, pa.string()))
    return effects
