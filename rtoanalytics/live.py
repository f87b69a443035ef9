"""A drill that is being captured, as it stands now: lag, acks, applied rows, heartbeats and the next runbook step.

It reads the spool of the capture and the newest evidence, never writes, and judges nothing. Lag and the runbook come
from the same queries as in an analysis, over the last minutes; acks and applied rows are only counted by second.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from rtoanalytics.bundle.files import EVIDENCE, Bundle, entries
from rtoanalytics.bundle.opening import read_drill
from rtoanalytics.bundle.spool import SegmentTail, evidence_name, open_segments
from rtoanalytics.engines.duckdb import open_recent_engine, run_queries
from rtoanalytics.results import with_instants
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rtoanalytics.schemas import Table

WINDOW_SECONDS = 600
"""How far back lag and rates are shown."""
MAX_FILES = 40
"""Newest evidence files of one table that are read; events are all read, each mark is a file of its own."""
MAX_FILE_ROWS = 5_000_000
"""An evidence file with more rows was not written by a capture that rotates every minute, and is only counted."""
_COUNTED = {"acks": ("acked_at", "outcome"), "applied": ("applied_at", "downstream")}
_KEPT = ("watermarks", "commits", "events", "heartbeats", "cluster_info")
_OVERDUE_INTERVALS = 3


@dataclass(frozen=True)
class LiveView:
    """One look at a capture."""

    looked_at: datetime
    is_capturing: bool
    """Whether segments stand in the spool: a capture runs, or was killed and not recovered."""
    clock_started_at: datetime | None
    burn_down: pl.DataFrame
    """The relation `burn_down` over the last `WINDOW_SECONDS`."""
    acks: pl.DataFrame
    """second_at, outcome, rows: produce outcomes of the last `WINDOW_SECONDS` by second."""
    applied: pl.DataFrame
    """second_at, downstream, rows: applied rows of the last `WINDOW_SECONDS` by second."""
    heartbeats: pl.DataFrame
    """One row a collector and target: its last sign of life, its age in seconds, and whether it is overdue."""
    events: pl.DataFrame
    """Every event, newest first."""
    runbook: list[dict[str, Any]]
    """Steps in their order, each with planned_at, occurred_at and late_seconds as far as they are known."""
    simulated_clusters: tuple[str, ...]
    """Clusters that only imitate Kafka, as far as they have said so."""
    captured_rows: Mapping[str, int]
    """Rows of acks and applied seen so far."""

    @property
    def is_recent(self) -> bool:
        """Whether a collector gave a sign of life within the last `WINDOW_SECONDS`."""
        return not self.heartbeats.filter(pl.col("age_seconds") <= WINDOW_SECONDS).is_empty()

    @property
    def next_step(self) -> dict[str, Any] | None:
        """The first step that has not happened."""
        return next((step for step in self.runbook if step["occurred_at"] is None), None)


@dataclass
class _Part:
    """What is remembered of one file: counts by second of a large table, the rows of a small one."""

    rows: int = 0
    counts: pl.DataFrame | None = None
    kept: list[pa.Table] = field(default_factory=list)


class LiveCapture:
    """Looks at one bundle again and again; every file is read once. Thread-safe."""

    def __init__(self, root: Path) -> None:
        """Raises DrillError or EvidenceError where the folder has no drill definition that can be read."""
        self._bundle = Bundle(root, read_drill(root), {}, ())
        self._lock = threading.Lock()
        self._tails: dict[Path, SegmentTail] = {}
        self._parts: dict[Path, _Part] = {}

    @property
    def drill(self) -> Any:  # noqa: ANN401  (the definition; named here for pages)
        """The definition of the drill that is being captured."""
        return self._bundle.drill

    def look(self, now: datetime | None = None) -> LiveView:
        """The capture as it stands at `now` (default: the clock's)."""
        moment = now or datetime.now(UTC)
        with self._lock:
            segments = open_segments(self._bundle.root)
            tables = self._tables(segments)
            return self._view(moment, tables, is_capturing=bool(segments))

    def _tables(self, segments: list[Path]) -> dict[str, list[_Part]]:
        """The parts of each table: evidence, and of the spool what is not evidence yet."""
        found: dict[str, list[_Part]] = {}
        sealed = set()
        for name in (*_COUNTED, *_KEPT):
            files = entries(self._bundle.root / EVIDENCE / name)
            sealed |= {(name, path.name) for path in files}
            newest = files if name == "events" else sorted(files, key=_changed)[-MAX_FILES:]
            found[name] = [self._evidence(path, TABLES[name]) for path in files if path in set(newest)]
            found[name] += [_Part(rows=_row_count(path)) for path in files if path not in set(newest)]
        for path in segments:
            table = self._extended(path)
            if table in found and (table, evidence_name(path)) not in sealed:
                found[table].append(self._parts[path])
        self._forget(segments)
        return found

    def _forget(self, segments: list[Path]) -> None:
        for path in self._tails.keys() - set(segments):
            del self._tails[path]
            self._parts.pop(path, None)

    def _extended(self, path: Path) -> str | None:
        """Read a segment further, and tell its table."""
        tail = self._tails.setdefault(path, SegmentTail(path))
        part = self._parts.setdefault(path, _Part())
        batches = tail.read_new()
        table = TABLES.get(tail.table or "")
        if batches and table is not None:
            _add(part, pa.Table.from_batches([batch.replace_schema_metadata() for batch in batches]), table)
        return tail.table

    def _evidence(self, path: Path, table: Table) -> _Part:
        if path in self._parts:
            return self._parts[path]
        part = _Part()
        try:
            rows = _row_count(path)
            if rows > MAX_FILE_ROWS:
                part.rows = rows
            else:
                names = [name for name in pq.read_schema(path).names if name in table.by_name]
                _add(part, _typed(pq.read_table(path, columns=names), table), table)
        except (OSError, pa.ArrowException):
            return part  # being written, or broken: rto check says which
        self._parts[path] = part
        return part

    def _view(self, now: datetime, tables: Mapping[str, list[_Part]], *, is_capturing: bool) -> LiveView:
        since = now - timedelta(seconds=WINDOW_SECONDS)
        recent = {name: _kept_rows(tables[name], TABLES[name]) for name in _KEPT}
        for name, instant in (("watermarks", "observed_at"), ("commits", "committed_at")):
            recent[name] = _recent(recent[name], instant, since)
        events = pl.DataFrame(recent["events"])
        beats = recent.pop("heartbeats")
        with open_recent_engine(self._bundle, recent) as engine:
            run_queries(engine, ["burn_down", "runbook_times", "clock", "clusters_seen"])
            burn_down = pl.DataFrame(with_instants(engine.arrow("burn_down")))
            runbook = with_instants(engine.arrow("runbook_times")).to_pylist()
            clock = with_instants(engine.arrow("clock")).to_pylist()[0]["clock_started_at"]
            seen = engine.rows("clusters_seen")
        return LiveView(
            looked_at=now,
            is_capturing=is_capturing,
            clock_started_at=clock,
            burn_down=burn_down.filter(pl.col("step_at") >= since),
            acks=_by_second(tables["acks"], "outcome", since),
            applied=_by_second(tables["applied"], "downstream", since),
            heartbeats=_signs_of_life(pl.DataFrame(beats), now),
            events=events.sort("occurred_at", descending=True),
            runbook=sorted(runbook, key=lambda step: step["position"]),
            simulated_clusters=tuple(row["cluster"] for row in seen if row["is_simulated"]),
            captured_rows={name: sum(part.rows for part in tables[name]) for name in _COUNTED},
        )


def _add(part: _Part, rows: pa.Table, table: Table) -> None:
    part.rows += rows.num_rows
    if table.name not in _COUNTED:
        part.kept.append(rows)
        return
    instant, by = _COUNTED[table.name]
    second = pl.col(instant).dt.truncate("1s").alias("second_at")
    counts = pl.DataFrame(rows.select([instant, by])).group_by(second, by).agg(pl.len().cast(pl.Int64).alias("rows"))
    part.counts = counts if part.counts is None else pl.concat([part.counts, counts])


def _by_second(parts: Iterable[_Part], by: str, since: datetime) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"second_at": pl.Datetime("us", "UTC"), by: pl.String, "rows": pl.Int64})
    counts = pl.concat([empty, *(part.counts for part in parts if part.counts is not None)])
    recent = counts.filter(pl.col("second_at") >= since)
    return recent.group_by("second_at", by).agg(pl.sum("rows")).sort("second_at", by)


def _kept_rows(parts: Iterable[_Part], table: Table) -> pa.Table:
    return pa.concat_tables([table.arrow_schema.empty_table(), *(rows for part in parts for rows in part.kept)])


def _recent(rows: pa.Table, instant: str, since: datetime) -> pa.Table:
    """Rows since an instant, and of each partition the last one before it: lag is as of the latest row."""
    frame = pl.DataFrame(rows)
    keys = [name for name in ("cluster", "group_id", "topic", "partition") if name in frame.columns]
    before = frame.filter(pl.col(instant) < since).sort(instant).group_by(keys, maintain_order=True).last()
    kept = pl.concat([before.select(frame.columns), frame.filter(pl.col(instant) >= since)])
    return kept.to_arrow().cast(rows.schema)


def _signs_of_life(beats: pl.DataFrame, now: datetime) -> pl.DataFrame:
    last = beats.sort("occurred_at").group_by("collector", "target", maintain_order=True).last()
    age = (pl.lit(now) - pl.col("occurred_at")).dt.total_microseconds() / 1_000_000
    return (
        last.select("collector", "target", "occurred_at", "interval_seconds", "rows", age.clip(0).alias("age_seconds"))
        .with_columns(is_overdue=pl.col("age_seconds") > pl.col("interval_seconds") * _OVERDUE_INTERVALS)
        .sort("collector", "target", nulls_last=False)
    )


def _typed(rows: pa.Table, table: Table) -> pa.Table:
    """The rows with every column of the table, in its types."""
    schema = table.arrow_schema
    columns = [
        rows.column(item.name).cast(item.type) if item.name in rows.column_names else pa.nulls(rows.num_rows, item.type)
        for item in schema
    ]
    return pa.table(columns, schema=schema)


def _row_count(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return 0


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
