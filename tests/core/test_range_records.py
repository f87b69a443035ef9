"""From a range of offsets to its very records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.range_records import OffsetRange, records_in_range
from tests.core.golden.test_golden import damaged

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drill with a duplicate, a skip and a loss, that nobody has analyzed."""
    return damaged().write(tmp_path_factory.mktemp("ranges") / "bundle")


def records(bundle: Path, partition: int, start: int, end: int, limit: int = 10) -> pl.DataFrame:
    """The records of a range of the one topic."""
    return records_in_range(bundle, OffsetRange("payments-db", "primary", "payments", partition, start, end), limit)


def test_times_applied_and_whether_the_log_holds_it(bundle: Path) -> None:
    """A duplicate was applied twice, a record beside it once; one that was lost is neither applied nor in the log."""
    wanted = ("record_offset", "times_applied", "is_in_log")
    assert records(bundle, 0, 1000, 1002).select(wanted).rows() == [(1000, 2, True), (1001, 1, True)]
    assert records(bundle, 1, 1033, 1034).select(wanted).rows() == [(1033, 0, False)]


def test_the_end_is_exclusive_and_the_limit_is_kept(bundle: Path) -> None:
    """A range ends before its end, and never gives more records than asked for."""
    assert records(bundle, 0, 1000, 1001).height == 1
    assert records(bundle, 0, 1000, 1100, limit=3)["record_offset"].to_list() == [1000, 1001, 1002]


def test_a_range_without_records_is_empty(bundle: Path) -> None:
    """Nothing was acknowledged there: no row, no error."""
    assert records(bundle, 0, 5, 9).is_empty()
