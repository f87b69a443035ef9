"""`python -m benchmarks.fates WAY MATCH BUNDLE`: the reconciliation that an analyst would write, as one line of JSON.

How many records were applied once, more than once and not at all, and how many applied records nobody acknowledged:
the smallest part of what an analysis tells, by the means at hand.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = {"offset": ("topic", "partition", "record_offset"), "record_id": ("record_id",)}
"""What tells that an applied row is this record, by the drill's `match`."""
DUCKDB_MEMORY = "12GB"
"""DuckDB's own limit is four fifths of the machine; this one leaves room for the guard."""

Counts = dict[str, int]


def duckdb_full_join(bundle: Path, keys: tuple[str, ...]) -> Counts:
    """One statement: effects counted by record, joined with the records."""
    listed = ", ".join(keys)
    select = f"""
        with records as (select {listed} from {_parquet(bundle, "acks")} where outcome = 'acked'),
        effects as (select {listed}, count(*) as n from {_parquet(bundle, "applied")} group by {listed})
        select
            count(*) filter (records.{keys[-1]} is not null and n = 1),
            count(*) filter (records.{keys[-1]} is not null and n > 1),
            count(*) filter (n is null),
            count(*) filter (records.{keys[-1]} is null)
        from records full join effects using ({listed})
    """
    return _counts(*_duckdb(select))


def duckdb_anti_join(bundle: Path, keys: tuple[str, ...]) -> Counts:
    """Two statements, one a side: records without effects, and effects counted by record."""
    listed = ", ".join(keys)
    acks, applied = _parquet(bundle, "acks"), _parquet(bundle, "applied")
    absent = f"select count(*) from (from {acks} where outcome = 'acked') anti join {applied} using ({listed})"
    effects = f"""
        select count(*) filter (n = 1), count(*) filter (n > 1)
        from (select count(*) as n from {applied} group by {listed}) as counted
    """
    unknown = f"select count(*) from {applied} anti join {acks} using ({listed})"
    return _counts(*_duckdb(effects), *_duckdb(absent), *_duckdb(unknown))


def polars_join(bundle: Path, keys: tuple[str, ...]) -> Counts:
    """Polars' streaming engine: the same join."""
    records = pl.scan_parquet(_files(bundle, "acks")).filter(pl.col("outcome") == "acked").select(*keys, is_acked=True)
    effects = pl.scan_parquet(_files(bundle, "applied")).select(keys).group_by(keys).len("n")
    joined = records.join(effects, on=keys, how="full", coalesce=True)
    is_acked, n = pl.col("is_acked").is_not_null(), pl.col("n")
    totals = joined.select(
        once=(is_acked & (n == 1)).sum(),
        duplicated=(is_acked & (n > 1)).sum(),
        absent=n.is_null().sum(),
        unknown=(~is_acked).sum(),
    ).collect(engine="streaming")
    return _counts(*totals.row(0))


def pandas_merge(bundle: Path, keys: tuple[str, ...]) -> Counts:
    """Pandas, everything in memory: the same join."""
    import pandas as pd  # noqa: PLC0415  (the other ways do without)

    acks = pd.read_parquet(bundle / "evidence" / "acks", columns=[*keys, "outcome"])
    applied = pd.read_parquet(bundle / "evidence" / "applied", columns=list(keys))
    effects = applied.groupby(list(keys)).size().reset_index(name="n")
    merged = acks[acks["outcome"] == "acked"].merge(effects, on=list(keys), how="outer", indicator=True)
    is_acked = merged["_merge"] != "right_only"
    return _counts(
        (is_acked & (merged["n"] == 1)).sum(),
        (is_acked & (merged["n"] > 1)).sum(),
        (merged["_merge"] == "left_only").sum(),
        (~is_acked).sum(),
    )


WAYS: dict[str, Callable[[Path, tuple[str, ...]], Counts]] = {
    "duckdb-full-join": duckdb_full_join,
    "duckdb-anti-join": duckdb_anti_join,
    "polars-join": polars_join,
    "pandas-merge": pandas_merge,
}


def _duckdb(select: str) -> tuple[int, ...]:
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
        connection.execute(f"set enable_progress_bar = false; set memory_limit = '{DUCKDB_MEMORY}'")
        connection.execute(f"set temp_directory = '{scratch}'")
        row: tuple[int, ...] = connection.sql(select).fetchall()[0]
        return row


def _counts(once: int, duplicated: int, absent: int, unknown: int) -> Counts:
    return {"once": int(once), "duplicated": int(duplicated), "absent": int(absent), "unknown": int(unknown)}


def _files(bundle: Path, table: str) -> str:
    return f"{(bundle / 'evidence' / table).as_posix()}/*.parquet"


def _parquet(bundle: Path, table: str) -> str:
    return f"read_parquet('{_files(bundle, table)}')"


def main(way: str, match: str, bundle: str) -> None:
    """Reconcile, and print the counts with the seconds."""
    started = time.perf_counter()
    counts = WAYS[way](Path(bundle), KEYS[match])
    print(json.dumps({"seconds": time.perf_counter() - started, **counts}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
