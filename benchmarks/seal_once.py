"""`python -m benchmarks.seal_once seal|sort BUNDLE`: seal a bundle, or have DuckDB sort its rows; one line of JSON.

`seal` alters the bundle and tells the seconds of each step; `sort` leaves what it wrote in the bundle's results/.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import duckdb

from rtoanalytics import seal
from rtoanalytics.bundle import compaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

STEPS: dict[str, tuple[ModuleType, str]] = {
    "check values": (seal, "check_values"),
    "sort": (compaction, "sealed_rows"),
    "write": (compaction, "write_parts"),
    "manifest": (seal, "_describe"),
    "exchange": (seal, "commit"),
}
"""What sealing calls for each step."""
SORTED = {"acks": "acked_at", "applied": "applied_at"}
"""Tables with a row for every record, and what orders rows that have no coordinates."""
SORT_MEMORY = "4GB"


def seal_once(bundle: Path) -> dict[str, Any]:
    """Seal, and tell where the time went: seconds by step, and of the whole."""
    spent: Counter[str] = Counter()
    started = time.perf_counter()
    with ExitStack() as timed:
        for step, (module, name) in STEPS.items():
            timed.enter_context(patch.object(module, name, _timed(getattr(module, name), step, spent)))
        manifest = seal.seal_bundle(bundle)
    sizes: Counter[str] = Counter()
    for file in manifest.files:
        sizes[Path(file.path).parent.name] += file.bytes
    return {"seconds": time.perf_counter() - started, "steps": dict(spent), "bytes": _sorted_only(sizes)}


def sort_once(bundle: Path) -> dict[str, Any]:
    """Sort both tables to Parquet as anyone would who has DuckDB at hand."""
    target = bundle / "results"
    target.mkdir(exist_ok=True)
    started = time.perf_counter()
    with duckdb.connect(config={"memory_limit": SORT_MEMORY, "temp_directory": str(target / "scratch")}) as connection:
        connection.execute("set enable_progress_bar = false; set preserve_insertion_order = true")
        for table, instant in SORTED.items():
            rows = f"select * from read_parquet('{(bundle / 'evidence' / table).as_posix()}/*.parquet')"
            order = f"topic, partition, record_offset, {instant}" if _is_unplaced(connection, rows) else _PLACES
            path = (target / f"{table}.parquet").as_posix()
            connection.execute(f"copy ({rows} order by {order}) to '{path}' (format parquet)")
    sizes = Counter({table: (target / f"{table}.parquet").stat().st_size for table in SORTED})
    return {"seconds": time.perf_counter() - started, "bytes": _sorted_only(sizes)}


_PLACES = "topic, partition, record_offset"


def _is_unplaced(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Whether rows are known by identities alone; the first row tells."""
    return connection.sql(f"select topic is null from ({rows} limit 1)").fetchall() == [(True,)]


def _sorted_only(sizes: Counter[str]) -> dict[str, int]:
    return {table: sizes[table] for table in SORTED}


def _timed(call: Callable[..., Any], step: str, spent: Counter[str]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  (whatever it is that is timed)
        started = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            spent[step] += time.perf_counter() - started  # type: ignore[assignment]  # counts seconds here

    return timed


if __name__ == "__main__":
    print(json.dumps({"seal": seal_once, "sort": sort_once}[sys.argv[1]](Path(sys.argv[2]))))
