"""`python -m benchmarks.layouts`: what the layout of sealed files was chosen from.

Writes the same acks, in the order of capture and in sealed order, and the same identities with several encodings,
compressions and sizes of row groups. Prints bytes a row, and the processor seconds that a million rows take to be
written and to be read by DuckDB. Identities are those of applications: digests, UUIDs of both kinds, counters.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bundle import STARTED_US, Shape, benchmark_bundle
from benchmarks.measuring import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DATA = Path(__file__).parent / "data"
COLUMNS = ["cluster", "topic", "partition", "record_offset", "acked_at", "outcome", "acks"]
NUMBERS = ["partition", "record_offset", "acked_at"]
NAMES = ["cluster", "topic", "outcome", "acks"]
GROUP_ROWS = 262_144

SEALED = {
    "use_dictionary": NAMES,
    "column_encoding": dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"),
    "compression": "zstd",
    "compression_level": 3,
    "row_group_size": GROUP_ROWS,
    "write_page_checksum": True,
}
ACKS: Mapping[str, Mapping[str, Any]] = {
    "sealed": SEALED,
    "zstd level 1": {**SEALED, "compression_level": 1},
    "zstd level 9": {**SEALED, "compression_level": 9},
    "lz4": {**SEALED, "compression": "lz4", "compression_level": None},
    "BYTE_STREAM_SPLIT": {**SEALED, "column_encoding": dict.fromkeys(NUMBERS, "BYTE_STREAM_SPLIT")},
    "plain numbers": {**SEALED, "column_encoding": None},
    "dictionaries throughout": {**SEALED, "use_dictionary": True, "column_encoding": None},
    "the library's default": {"row_group_size": GROUP_ROWS},
    "row groups of 65,536": {**SEALED, "row_group_size": 65_536},
    "row groups of 1,048,576": {**SEALED, "row_group_size": 1_048_576},
    "no page checksums": {**SEALED, "write_page_checksum": False},
    "no statistics": {**SEALED, "write_statistics": False},
}
TEXTS: Mapping[str, Mapping[str, Any]] = {
    "sealed": {
        **SEALED, "use_dictionary": False, "compression_level": 1, "column_encoding": {"record_id": "DELTA_BYTE_ARRAY"}
    },
    "zstd level 3": {**SEALED, "use_dictionary": False, "column_encoding": {"record_id": "DELTA_BYTE_ARRAY"}},
    "plain, level 1": {**SEALED, "use_dictionary": False, "column_encoding": None, "compression_level": 1},
    "plain, level 3": {**SEALED, "use_dictionary": False, "column_encoding": None},
    "dictionary": {**SEALED, "use_dictionary": True, "column_encoding": None},
}  # fmt: skip
IDENTITIES: Mapping[str, Callable[[int], str]] = {
    "SHA-256, 64 characters": lambda number: hashlib.sha256(b"%d" % number).hexdigest(),
    "UUID version 4": lambda number: str(uuid.UUID(bytes=_chance(number), version=4)),
    "UUID by time": lambda number: (
        f"{_clock(number)[:8]}-{_clock(number)[8:]}-7{_chance(number).hex()[:3]}-a000-{_chance(number).hex()[3:15]}"
    ),
    "counter, 24 characters": lambda number: f"payments-{number * 192:015d}",
}


def results(rows: int, data: Path, shape: Shape | None = None) -> list[dict[str, Any]]:
    """One line for every layout of acks in both orders, and of every kind of identity; a fourth as many of those.

    Acks are the first `rows` of the bundle of a shape, ten million records unless it is given.
    """
    lines = []
    orders: tuple[Literal["captured", "sealed"], ...] = ("captured", "sealed")
    for order in orders:
        written = _acks(benchmark_bundle(replace(shape or Shape(), order=order), data), rows)
        lines += [_line(f"acks, {order} order", name, written, layout) for name, layout in ACKS.items()]
    irregular = _irregular(written)
    lines += [_line("acks, irregular instants", name, irregular, layout) for name, layout in ACKS.items()]
    for kind, identity in IDENTITIES.items():
        written = pa.table({"record_id": [identity(number) for number in range(rows // 4)]})
        lines += [_line(kind, name, written, layout) for name, layout in TEXTS.items()]
    return lines


def _acks(bundle: Path, rows: int) -> Any:  # noqa: ANN401  (an Arrow table)
    paths = sorted((bundle / "evidence" / "acks").glob("*.parquet"))
    read = []
    for path in paths:
        read.append(pq.read_table(path, columns=COLUMNS))
        if sum(table.num_rows for table in read) >= rows:
            break
    return pa.concat_tables(read).slice(0, rows).combine_chunks()


def _irregular(written: Any) -> Any:  # noqa: ANN401  (an Arrow table)
    """Acks in sealed order with instants that nobody can foresee, at 100 million records an hour.

    A produce response with 7 records of a partition every 50 ms, up to 3 ms late, and 1 to 3 us between two callbacks.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("written", written)
        late = "hash(topic, partition, record_offset // 7) % 3000 + record_offset % 7 * 2 + hash(record_offset) % 2"
        instant = f"make_timestamptz({STARTED_US} + (record_offset // 7) * 50000 + cast({late} as bigint))"
        return connection.sql(f"select * replace ({instant} as acked_at) from written").to_arrow_table()


def _line(rows: str, layout: str, written: Any, options: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    millions = written.num_rows / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written.parquet"
        started = time.process_time()
        pq.write_table(written, path, **options)
        write_seconds = time.process_time() - started
        read = min(_read_seconds(path, written.column_names) for _ in range(3))
        size = path.stat().st_size
    return {
        "rows": rows,
        "layout": layout,
        "bytes_per_row": round(size / written.num_rows, 3),
        "write_seconds_per_million": round(write_seconds / millions, 3),
        "read_seconds_per_million": round(read / millions, 4),
    }


def _read_seconds(path: Path, names: list[str]) -> float:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
        used = ", ".join(f"max(hash({name}))" for name in names)
        started = time.process_time()
        connection.sql(f"select {used} from read_parquet('{path.as_posix()}')").to_arrow_table()
        return time.process_time() - started


def _chance(number: int) -> bytes:
    return hashlib.md5(b"%d" % number, usedforsecurity=False).digest()


def _clock(number: int) -> str:
    """Milliseconds in hexadecimal; 30 records each."""
    return f"{1_790_000_000_000 + number // 30:012x}"


def table(rows: list[dict[str, Any]]) -> str:
    """The results for people."""
    lines = [f"{'':<26} {'':<26} {'B/row':>8} {'write s/M':>10} {'read s/M':>10}"]
    lines += [
        f"{row['rows']:<26} {row['layout']:<26} {row['bytes_per_row']:>8.2f} {row['write_seconds_per_million']:>10.3f}"
        f" {row['read_seconds_per_million']:>10.4f}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layouts", description="Measure layouts of evidence.")
    parser.add_argument("--rows", type=int, default=4_000_000, metavar="N", help="rows written (default 4000000)")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="where the bundles are kept")
    chosen = parser.parse_args()
    lines = results(chosen.rows, chosen.data)
    where = machine()
    print(", ".join(f"{name} {value}" for name, value in where.items()), end="\n\n")
    print(table(lines), end="\n\n")
    print(json.dumps({"machine": where, "results": lines}))


if __name__ == "__main__":
    main()
