"""What is read from results/: load, sampling and lag, and how each measure is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from rtoanalytics.compare.measures import Source, Value, values_of
from rtoanalytics.compare.readings import read_drill
from tests.core.compare.libraries import Facts, burn_down, reading, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

FACTS = Facts("a", load=120.0, interval_seconds=2.0)


def with_burn_down(tmp_path: Path, frame: pl.DataFrame) -> Path:
    """A bundle with another burn-down."""
    root = write_bundle(tmp_path, FACTS)
    frame.write_parquet(root / "results" / "burn_down.parquet")
    return root


def value(name: str, **changed: Any) -> Value:  # noqa: ANN401  (fields of Facts)
    """One measure of a drill."""
    drill = reading(replace(FACTS, **changed))
    return values_of(Source(drill.scorecard, drill.burn_down, drill.step_seconds))[name]


def bounds(name: str, **changed: Any) -> tuple[float, float | None]:  # noqa: ANN401  (fields of Facts)
    """Its interval."""
    interval = value(name, **changed).interval
    return interval.low, interval.high


def test_a_bundle_reads_as_it_was_written(tmp_path: Path) -> None:
    """What stands on disk and what a test holds in memory are the same drill, its place aside."""
    read = read_drill(write_bundle(tmp_path, FACTS))
    held = reading(FACTS)
    assert (read.drill, read.scorecard, read.burn_down) == (held.drill, held.scorecard, held.burn_down)
    assert read.sampling_seconds == {"watermarks": 2.0, "commits": 2.0}


def test_load_is_that_of_the_busiest_group(tmp_path: Path) -> None:
    """Of two groups the one for which more arrived; not their sum, for they may read the same topic."""
    other = burn_down(replace(FACTS, load=500.0)).with_columns(group_id=pl.lit("other"))
    assert read_drill(with_burn_down(tmp_path, pl.concat([other, burn_down(FACTS)]))).burn_down == (
        replace(reading(FACTS).burn_down, load_records_per_second=500.0)
    )


@pytest.mark.parametrize(
    "frame",
    [
        burn_down(FACTS).with_columns(cluster=pl.Series(["primary", *["recovery"] * 60])),
        burn_down(FACTS).with_columns(log_end_offsets=pl.lit(None, pl.Int64)),
        burn_down(FACTS).tail(31),
        burn_down(FACTS).clear(),
    ],
    ids=["changed clusters", "log ends unknown", "nothing before the clock start", "no steps"],
)
def test_load_that_is_not_known(tmp_path: Path, frame: pl.DataFrame) -> None:
    """Where the log ends before the clock start do not tell, load is null, never 0."""
    assert read_drill(with_burn_down(tmp_path, frame)).burn_down.load_records_per_second is None


def test_load_counts_only_what_came_before_the_clock_start(tmp_path: Path) -> None:
    """A flood after the clock start changes nothing."""
    flood = (
        burn_down(FACTS)
        .with_row_index()
        .with_columns(
            log_end_offsets=pl.when(pl.col("index") > 30).then(9_000_000).otherwise(pl.col("log_end_offsets"))
        )
    )
    assert read_drill(with_burn_down(tmp_path, flood)).burn_down.load_records_per_second == 120.0


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("recovery_time", {"rta": (23.0, 24.0)}, (23.0, 24.0)),
        ("recovery_time", {"rta": (150.0, None)}, (150.0, None)),
        ("recovery_time", {"rta": None}, (0, None)),
        ("duplicated_records", {"counts": {"duplicated_records": 4}}, (4, 4)),
        ("duplicated_records", {"counts": {"duplicated_records": None}}, (0, None)),
        ("peak_lag", {"counts": {"peak_lag": 159}}, (159, 200)),
        ("peak_lag", {"counts": {"peak_lag": 300}}, (300, 300)),
        ("peak_lag", {"counts": {"peak_lag": 12}}, (0, 200)),
        ("drain_time", {"counts": {"drain_time": 9}}, (8.0, 10.0)),
        ("drain_time", {"counts": {"drain_time": 9}, "step_seconds": 20.0}, (0.0, 29.0)),
        ("final_lag", {"counts": {"final_lag": 7}}, (0, 100)),
        ("final_lag", {"counts": {"final_lag": 150}}, (150, 150)),
        ("recovery_point", {}, (0, 0)),
        ("recovery_point", {"verdicts": {"recovery_point": "fail"}, "counts": {"recovery_point": 6}}, (6, None)),
        ("recovery_point", {"verdicts": {"recovery_point": "not_applicable"}}, (0, None)),
        ("lost_records", {}, (0, 0)),
        ("lost_records", {"verdicts": {"lost_records": "fail"}, "counts": {"lost_records": 6}}, (6, 6)),
        ("lost_records", {"verdicts": {"recovery_point": "inconclusive", "lost_records": "fail"},
                          "counts": {"lost_records": 6}}, (6, None)),
        ("lost_records", {"is_simulated": True}, (0, None)),
    ],
)  # fmt: skip
def test_how_a_measure_is_known(name: str, changed: dict[str, Any], expected: tuple[float, float | None]) -> None:
    """Each measure lies in the interval that docs/compare.md gives it."""
    assert bounds(name, **changed) == expected


@pytest.mark.parametrize("name", ["skipped_records", "lost_records"])
def test_records_without_a_fate_widen_what_is_known(name: str) -> None:
    """Each of them may be skipped or lost too."""
    drill = reading(FACTS)
    totals = {**drill.scorecard.totals, "unresolved": 5}
    card = drill.scorecard.model_copy(update={"totals": totals})
    found = values_of(Source(card, drill.burn_down, drill.step_seconds))[name]
    assert (found.interval.low, found.interval.high) == (0, 5)
    assert "5 records" in (found.reason or "")


def test_a_reason_is_given_for_what_is_not_known() -> None:
    """Every measure that is not known says why."""
    drill = reading(replace(FACTS, rta=None, holes={"acks": 2, "commits": 1}, is_simulated=True))
    values = values_of(Source(drill.scorecard, drill.burn_down, drill.step_seconds))
    assert [name for name, found in values.items() if not found.interval.is_known and not found.reason] == []
