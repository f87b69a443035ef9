"""Make a bundle of any size, without a download: the same bytes for the same shape on every machine."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import duckdb

from benchmarks.story import APPLICATION_ID, DRILL, FUNCTIONS, RECORD_ID, TABLES

if TYPE_CHECKING:
    from pathlib import Path

STARTED_US = 1_790_000_000_000_000
STORY = 3
"""Raise it whenever the story changes: bundles on disk are then made anew."""

_STAMP = ".shape.json"
_SECOND_US = 1_000_000
_PARQUET = "format parquet, parquet_version v2, compression zstd, compression_level 1, row_group_size 1000000"


@dataclass(frozen=True)
class Shape:
    """How much of everything."""

    rows: int = 10_000_000
    """Acknowledged records."""
    seconds: int = 3600
    topics: int = 3
    partitions: int = 64
    """Of each topic."""
    identities: bool = False
    """Whether records and effects carry a record_id, and effects an application_id."""

    @property
    def logs(self) -> int:
        """Partitions of all topics."""
        return self.topics * self.partitions

    @property
    def name(self) -> str:
        """The folder that holds it."""
        suffix = "-identities" if self.identities else ""
        return f"{self.rows}-records-{self.seconds}-seconds-{self.topics}x{self.partitions}{suffix}"


def benchmark_bundle(shape: Shape, folder: Path) -> Path:
    """The bundle of a shape below `folder`: the one that stands there, or a new one."""
    root = folder / shape.name
    stamp = json.dumps({"story": STORY, **asdict(shape)})
    if (root / _STAMP).is_file() and (root / _STAMP).read_text("utf-8") == stamp:
        return root
    building = folder / f".{shape.name}.tmp"
    for old in (root, building):
        shutil.rmtree(old, ignore_errors=True)
    write_bundle(shape, building)
    (building / _STAMP).write_text(stamp, "utf-8")
    building.rename(root)
    return root


def write_bundle(shape: Shape, root: Path) -> None:
    """Write drill.yaml and the evidence, in the order that sealing gives it."""
    root.mkdir(parents=True)
    numbers = _numbers(shape)
    (root / "drill.yaml").write_text(_drill(shape), "utf-8")
    with duckdb.connect(config={"preserve_insertion_order": True}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for function in FUNCTIONS:
            connection.execute(function.format(**numbers))
        for table, select in TABLES.items():
            path = root / "evidence" / table
            path.mkdir(parents=True)
            connection.execute(f"copy ({select.format(**numbers)}) to '{path.as_posix()}/part-0.parquet' ({_PARQUET})")


def _drill(shape: Shape) -> str:
    names = [f"topic-{number}" for number in range(shape.topics)]
    return DRILL.format(
        rows=shape.rows,
        topics=", ".join(f"{{name: {name}, owner: nobody}}" for name in names),
        names=", ".join(names),
        max_lag=8 * max(1, shape.rows // shape.seconds),
    )


def _numbers(shape: Shape) -> dict[str, int | str]:
    length = shape.seconds * _SECOND_US
    spacing = length * shape.logs // shape.rows
    halt, halted = length // 2, length // 60
    return {
        **asdict(shape),
        "started_us": STARTED_US,
        "logs": shape.logs,
        "longest": -(-shape.rows // shape.logs),
        "spacing": spacing,
        "shift": max(1, spacing // shape.logs),
        "jitter": max(1, spacing // 16),
        "halt": halt,
        "resumed": halt + halted,
        "caught_up": halt + halted * 4 // 3,
        "record_id": RECORD_ID if shape.identities else "",
        "application_id": APPLICATION_ID if shape.identities else "",
    }
