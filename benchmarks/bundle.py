"""Make a bundle of any size, without a download: the same bytes for the same shape on every machine."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from benchmarks import story
from benchmarks.layout import captured_pieces, captured_rows, write_captured, write_sealed
from rtoanalytics.bundle.files import DRILL, EVIDENCE, MANIFEST
from rtoanalytics.bundle.manifest import describe_file, make_manifest, sealable_files
from rtoanalytics.drill import load_drill
from rtoanalytics.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STARTED_US = 1_790_000_000_000_000
STORY = 4
"""Raise it whenever the story or a layout changes: bundles on disk are then made anew."""
RUN_RECORDS = 16
"""The most records of one partition that one produce response brings here."""
RUN_US = 100_000
"""About how much of a partition's traffic one response brings, where that is fewer records."""

_STAMP = ".shape.json"
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_SEGMENT_RECORDS = 4_000_000
"""Records read back that fill a segment of a spool."""


@dataclass(frozen=True)
class Shape:
    """How much of everything, and how it was written."""

    rows: int = 10_000_000
    """Acknowledged records."""
    seconds: int = 3600
    topics: int = 3
    partitions: int = 64
    """Of each topic."""
    order: Literal["sealed", "captured"] = "sealed"
    """Sorted and encoded by sealing, with a manifest; or file by file as collectors write, in the order of events."""
    log_records: bool = False
    """Whether the logs were read back: `log_records` and `log_scans`."""
    match: Literal["offset", "record_id"] = "offset"
    """`record_id`: records carry identities of 64 bytes, effects nothing else. Only in the order of capture."""

    def __post_init__(self) -> None:
        """Raise ValueError for what no bundle here is."""
        if self.match == "record_id" and self.order == "sealed":
            msg = 'match "record_id" with order "sealed" is not made here; seal one of order "captured"'
            raise ValueError(msg)

    @property
    def logs(self) -> int:
        """Partitions of all topics."""
        return self.topics * self.partitions

    @property
    def name(self) -> str:
        """The folder that holds it."""
        size = f"{self.rows}-records-{self.seconds}-seconds-{self.topics}x{self.partitions}-{self.order}"
        return size + ("-log" if self.log_records else "") + ("-record-id" if self.match == "record_id" else "")


def benchmark_bundle(shape: Shape, folder: Path) -> Path:
    """The bundle of a shape below `folder`: the one that stands there, or a new one."""
    root = folder / shape.name
    stamp = json.dumps({"story": STORY, **asdict(shape)})
    if (root / _STAMP).is_file() and (root / _STAMP).read_text("utf-8") == stamp:
        return root
    base = benchmark_bundle(replace(shape, log_records=False), folder) if shape.log_records else None
    building = folder / f".{shape.name}.tmp"
    for old in (root, building):
        shutil.rmtree(old, ignore_errors=True)
    write_bundle(shape, building, base)
    (building / _STAMP).write_text(stamp, "utf-8")
    building.rename(root)
    return root


def write_bundle(shape: Shape, root: Path, base: Path | None = None) -> None:
    """Write drill.yaml and the evidence. `base` is the same bundle without its log read back: its files are shared."""
    root.mkdir(parents=True)
    numbers = _numbers(shape)
    (root / DRILL).write_text(_drill(shape), "utf-8")
    with duckdb.connect(config={"preserve_insertion_order": True}) as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        for function in story.FUNCTIONS:
            connection.execute(function.format(**numbers))
        for table in _tables(shape):
            shared = base / EVIDENCE / table if base else None
            if shared and shared.is_dir():
                shutil.copytree(shared, root / EVIDENCE / table, copy_function=linked)
            elif shape.order == "sealed":
                write_sealed(connection, table, _in_sealed_order(table, numbers), root)
            else:
                for number, rows in enumerate(_in_captured_order(connection, table, shape, numbers)):
                    write_captured(rows, table, number, root)
    if shape.order == "sealed":
        _write_manifest(root)


def _tables(shape: Shape) -> list[str]:
    read_back = ["log_records", "log_scans"] if shape.log_records else []
    return ["acks", "applied", *story.TABLES, *read_back]


def _in_sealed_order(table: str, numbers: dict[str, Any]) -> str:
    if table in story.RECORD_TABLES:
        source = {"records": story.BY_PLACE.format(**numbers), "as_written": ""}
        return story.RECORD_TABLES[table].format(**numbers, **source)
    return _sorted(_small(table).format(**numbers), TABLES[table].order)


def _sorted(select: str, keys: tuple[str, ...]) -> str:
    told = dict.fromkeys(key for key in keys if key in select)
    return f"select * from ({select}) order by {', '.join(told)}"


def _in_captured_order(
    connection: duckdb.DuckDBPyConnection, table: str, shape: Shape, numbers: dict[str, Any]
) -> Iterator[Any]:
    """Arrow tables, each worth a file, in the order in which a collector writes them."""
    if table == "log_records":  # read partition by partition
        yield from captured_pieces(connection, table, _in_sealed_order(table, numbers), _SEGMENT_RECORDS)
    elif table in story.RECORD_TABLES:
        for select in _minutes(table, numbers):
            rows = captured_rows(connection, table, select)
            if rows.num_rows:
                yield rows
    else:
        instants = TABLES[table].live_instants or ("scanned_at", "occurred_at")
        rows = captured_rows(
            connection, table, _sorted(_small(table).format(**numbers), (*instants, *TABLES[table].order))
        )
        width = -(-rows.num_rows // (_files(shape) if TABLES[table].live_instants else 1))
        yield from (rows.slice(start, width) for start in range(0, rows.num_rows, width))


def _minutes(table: str, numbers: dict[str, Any]) -> Iterator[str]:
    """What a capture writes minute by minute of the traffic: the rows of each file, by the runs they belong to."""
    step = -(-_MINUTE_US // numbers["run_us"])
    # Replays of earlier runs are written meanwhile; while the group catches up they lie four times as far back.
    before = 4 * story.REPLAYED_AFTER_US // numbers["run_us"] + 2
    for start in range(0, numbers["runs"], step):
        span = {"from_run": start, "to_run": start + step, "is_last": start + step >= numbers["runs"]}
        source = story.BY_RUN.format(**numbers, **span)
        if table == "applied":
            source = story.BY_RUN.format(**numbers, from_run=max(0, start - before), to_run=start + step)
        as_written = story.AS_WRITTEN.format(**numbers, **span)
        yield story.RECORD_TABLES[table].format(**numbers, records=source, as_written=as_written)


def _small(table: str) -> str:
    return story.LOG_SCANS if table == "log_scans" else story.TABLES[table]


def _files(shape: Shape) -> int:
    return max(1, shape.seconds * _SECOND_US // _MINUTE_US)


def _write_manifest(root: Path) -> None:
    files, _ = sealable_files(root)
    drill_id = load_drill(root / DRILL).id
    manifest = make_manifest(drill_id, (describe_file(path, name) for name, path in files.items()))
    (root / MANIFEST).write_bytes(manifest.to_bytes())


def linked(source: str, target: str) -> None:
    """The same file in a second bundle; a copy where the disk knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _drill(shape: Shape) -> str:
    names = [f"topic-{number}" for number in range(shape.topics)]
    return story.DRILL.format(
        rows=shape.rows,
        match=shape.match,
        topics=", ".join(f"{{name: {name}, owner: nobody}}" for name in names),
        names=", ".join(names),
        max_lag=8 * max(1, shape.rows // shape.seconds),
    )


def _numbers(shape: Shape) -> dict[str, Any]:
    """What the story's SQL is told."""
    length = shape.seconds * _SECOND_US
    spacing = length * shape.logs // shape.rows
    run = max(1, min(RUN_RECORDS, RUN_US // spacing))
    longest = -(-shape.rows // shape.logs)
    halt, halted = length // 2, length // 60
    has_identities = shape.match == "record_id"
    return {
        **asdict(shape),
        "started_us": STARTED_US,
        "logs": shape.logs,
        "longest": longest,
        "spacing": spacing,
        "run": run,
        "run_us": run * spacing,
        "runs": -(-longest // run),
        "shift": max(1, run * spacing // shape.logs),
        "halt": halt,
        "resumed": halt + halted,
        "caught_up": halt + halted * 4 // 3,
        "scanned": length + _MINUTE_US,
        "record_id": story.IDENTITY if has_identities else story.NO_IDENTITY,
        "coordinates": story.NO_COORDINATES if has_identities else story.COORDINATES,
    }
