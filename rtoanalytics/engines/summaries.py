"""Summaries of evidence, kept between analyses: what new files say is computed, the rest is read as it was kept.

`plan.SUMMARIES` says which queries are summaries. No answer depends on what is kept: where anything is in doubt, or
fails, the query runs over the evidence like any other.
"""

from __future__ import annotations

import json
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import duckdb

from rtoanalytics.bundle import evidence_select
from rtoanalytics.bundle.sql import path_literal, text_literal
from rtoanalytics.engines.plan import ROW_BY_ROW, SUMMARIES
from rtoanalytics.engines.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rtoanalytics.bundle import Bundle, EvidenceFile
    from rtoanalytics.bundle.identity import SeenFile
    from rtoanalytics.engines.segments import Segment
    from rtoanalytics.queries import Query

KEPT_ROWS = 1_000_000
"""Fewer rows of evidence are read again in less time than keeping what they say takes."""
MOST_SEGMENTS = 8
"""Of one summary. Where there are as many, all are written as one with what is new."""

_ENGINE = "duckdb"
_FORMAT = "format parquet, parquet_version v2, compression zstd"


class Summaries:
    """The summaries of one bundle, kept in a folder of it."""

    def __init__(self, folder: Path, program: str, seen: Mapping[str, SeenFile]) -> None:
        """`program` is a digest of what computes answers; `seen` are the bundle's files before anything was read."""
        self._program = program
        self._seen = seen
        self._segments = Segments(folder)

    def lay(self, connection: duckdb.DuckDBPyConnection, bundle: Bundle, query: Query) -> bool:
        """Create the table of a summary from what is kept and from what new files say; keep that where it is much.

        False where that cannot be done, or spares nothing: no table stands then. Raises duckdb.InterruptException.
        """
        try:
            summary = _Summary(connection, bundle, query, self._program)
            kept = self._segments.of(query.name, summary.dependencies, bundle.root, self._seen)
            kept = self._with_new(summary, kept)
            self._segments.keep(query.name, kept)
            if kept:
                connection.execute(f'create table "{query.name}" as {self._rows(summary, kept, summary.new(kept))}')
        except duckdb.InterruptException:
            raise
        except (OSError, duckdb.Error):
            return False
        return bool(kept)

    def covered(self, query: str) -> frozenset[str]:
        """Names of the files that need not be read for a summary, as far as their times tell."""
        return frozenset(
            name
            for segment in self._segments.all_of(query)
            for name, before in segment.files.items()
            if name in self._seen and self._seen[name].identity == before.identity
        )

    def _with_new(self, summary: _Summary, kept: list[Segment]) -> list[Segment]:
        """The segments to keep: with what new files say where that is much, and never more than MOST_SEGMENTS."""
        new = summary.new(kept)
        if _rows_of(new) < KEPT_ROWS:
            return kept
        replaced = kept if len(kept) >= MOST_SEGMENTS else []
        written = self._written(summary, replaced, new)
        return [*(segment for segment in kept if segment not in replaced), written] if written else kept

    def _written(self, summary: _Summary, replaced: list[Segment], new: list[EvidenceFile]) -> Segment | None:
        """One new segment of the files of others and of new ones; None where it could not be written."""
        files = {name: file for segment in replaced for name, file in segment.files.items()}
        files |= {file.name: self._seen[file.name] for file in new}
        name = summary.query.name
        try:
            unfinished = self._segments.unfinished(name)
            try:
                rows = self._rows(summary, replaced, new)
                summary.connection.execute(f"copy ({rows}) to {text_literal(str(unfinished))} ({_FORMAT})")
                return self._segments.finished(name, unfinished, summary.dependencies, files)
            finally:
                unfinished.unlink(missing_ok=True)
        except duckdb.InterruptException:
            raise
        except (OSError, duckdb.Error):
            return None

    def _rows(self, summary: _Summary, kept: Sequence[Segment], new: Sequence[EvidenceFile]) -> str:
        """One SELECT of what segments and new files say."""
        parts = []
        if kept:
            paths = ", ".join(path_literal(str(self._segments.path(segment))) for segment in kept)
            parts.append(f"select {summary.columns} from read_parquet([{paths}], hive_partitioning = false)")
        if new or not kept:
            parts += [summary.of_files(files) for files in summary.read_at_once(new)]
        return "\nunion all\n".join(parts)


def is_worth_keeping(bundle: Bundle) -> bool:
    """Whether there is a summary of the bundle that would be kept."""
    return any(bundle.rows(table) >= KEPT_ROWS for table in SUMMARIES.values())


def _rows_of(files: Iterable[EvidenceFile]) -> int:
    return sum(file.rows for file in files)


@dataclass(frozen=True)
class _Summary:
    """A summary that is wanted of a bundle."""

    connection: duckdb.DuckDBPyConnection
    bundle: Bundle
    query: Query
    program: str

    @property
    def table(self) -> str:
        return SUMMARIES[self.query.name]

    @property
    def columns(self) -> str:
        return ", ".join(column.name for column in self.query.returns)

    @property
    def dependencies(self) -> str:
        """Whatever the rows depend on beside the files: the program, and what other relations say."""
        others = [name for name in self.query.reads if name != self.table]
        said = {name: repr(self.connection.sql(f'from "{name}" order by all').fetchall()) for name in others}
        return json.dumps([self.program, self.query.name, said], sort_keys=True)

    def new(self, kept: Sequence[Segment]) -> list[EvidenceFile]:
        """Files that no segment is of."""
        covered = {name for segment in kept for name in segment.files}
        return [file for file in self.bundle.files.get(self.table, ()) if file.name not in covered]

    def read_at_once(self, files: Sequence[EvidenceFile]) -> list[Sequence[EvidenceFile]]:
        """Files in the sets that are read side by side: one, or two with about as many rows where that spares time."""
        if self.query.name not in ROW_BY_ROW:
            return [files]
        behind = list(accumulate((file.rows for file in files), initial=0))
        half = bisect(behind, behind[-1] / 2)
        return [part for part in (files[:half], files[half:]) if part] or [files]

    def of_files(self, files: Sequence[EvidenceFile]) -> str:
        """What the query returns where its table holds these files."""
        evidence = evidence_select(self.table, files, constants=self.bundle.constants.get(self.table, {}))
        rows = f'"{self.table}" as not materialized ({evidence})'
        return f"select {self.columns} from (with {rows} select * from ({self.query.sql_for(_ENGINE)}))"
