"""What the pages read of results/, kept by the bundle's digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import streamlit as st

from rtoanalytics.errors import RtoError
from rtoanalytics.report.html import html_of
from rtoanalytics.results import FOLDER

if TYPE_CHECKING:
    from rtoanalytics_app.entries import Entry


def frame(entry: Entry, name: str) -> pl.DataFrame:
    """A result frame by name. Raises RtoError where it is missing or broken."""
    return _frame(str(entry.root), name, entry.digest)


def partition_lag(entry: Entry, group_id: str, topic: str, partition: int) -> pl.DataFrame:
    """The lag of one partition step by step; of a large lag.parquet nothing else is read."""
    return _partition_lag(str(entry.root), group_id, topic, partition, entry.digest)


def lag_places(entry: Entry, group_id: str) -> list[tuple[str, int]]:
    """Topics and partitions whose lag of a group is known."""
    return _lag_places(str(entry.root), group_id, entry.digest)


def report_html(entry: Entry) -> str:
    """The report of an analyzed bundle, as `rto report` writes it."""
    return _report(str(entry.root), entry.digest)


@st.cache_resource(max_entries=64, show_spinner=False)
def _frame(root: str, name: str, digest: str) -> pl.DataFrame:  # noqa: ARG001  (kept by it)
    return _collected(_scan(root, name), root, name)


@st.cache_resource(max_entries=64, show_spinner=False)
def _partition_lag(root: str, group_id: str, topic: str, partition: int, digest: str) -> pl.DataFrame:  # noqa: ARG001  (kept by it)
    wanted = (pl.col("group_id") == group_id) & (pl.col("topic") == topic) & (pl.col("partition") == partition)
    return _collected(_scan(root, "lag").filter(wanted).sort("step_at"), root, "lag")


@st.cache_data(max_entries=64, show_spinner=False)
def _lag_places(root: str, group_id: str, digest: str) -> list[tuple[str, int]]:  # noqa: ARG001  (kept by it)
    places = _scan(root, "lag").filter(pl.col("group_id") == group_id).select("topic", "partition").unique()
    return sorted(_collected(places, root, "lag").rows())


@st.cache_data(max_entries=16, show_spinner=False)
def _report(root: str, digest: str) -> str:  # noqa: ARG001  (kept by it)
    return html_of(Path(root))


def _scan(root: str, name: str) -> pl.LazyFrame:
    return pl.scan_parquet(Path(root) / FOLDER / f"{name}.parquet", hive_partitioning=False, glob=False)


def _collected(lazy: pl.LazyFrame, root: str, name: str) -> pl.DataFrame:
    try:
        return lazy.collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        msg = f"{FOLDER}/{name}.parquet: cannot be read ({type(error).__name__}); rto analyze {root} writes it anew"
        raise RtoError(msg) from None
