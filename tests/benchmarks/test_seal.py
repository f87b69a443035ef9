"""The benchmarks of sealing measure what they say. Nothing here is about time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import layouts, seal
from benchmarks.bundle import Shape, benchmark_bundle
from benchmarks.seal_once import STEPS
from rtoanalytics.bundle import compaction
from rtoanalytics.schemas import TABLES
from rtoanalytics.seal import SealStatus, sealed_state

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Shape(rows=2000, seconds=40, topics=1, partitions=6, order="captured")


@pytest.mark.parametrize("match", ["offset", "record_id"])
def test_sealing_beside_the_plain_sort(tmp_path: Path, match: str) -> None:
    """Both come to their end on the same rows; the bundle they were taken from stays unsealed and complete."""
    shape = Shape(**{**vars(SMALL), "match": match})
    line = seal.measured(shape, tmp_path, runs=1)
    assert line["rows"] > 2 * SMALL.rows
    assert min(line["ratio"], line["seal_peak_gb"], line["sort_peak_gb"]) > 0
    assert set(line["seal_bytes_per_row"]) == set(line["sort_bytes_per_row"]) == {"acks", "applied"}
    assert list(line["shares"]) == list(STEPS)
    assert 0 < sum(line["shares"].values()) <= 1.01
    assert shape.name in seal.table([line])
    assert sealed_state(benchmark_bundle(shape, tmp_path)).status is SealStatus.UNSEALED
    assert sorted(path.name for path in tmp_path.iterdir()) == [shape.name]


def test_every_layout_is_measured(tmp_path: Path) -> None:
    """Every layout has a line in every order and for every kind of identity."""
    lines = layouts.results(1000, tmp_path, SMALL)
    assert len(lines) == 3 * len(layouts.ACKS) + len(layouts.IDENTITIES) * len(layouts.TEXTS)
    assert min(line["bytes_per_row"] for line in lines) > 0
    assert len(layouts.table(lines).splitlines()) == len(lines) + 1


def test_the_layout_of_sealing_is_among_them() -> None:
    """What is called `sealed` is what sealing writes."""
    sealed = compaction._layout(TABLES["acks"], TABLES["acks"].arrow_schema)
    numbers, texts = layouts.ACKS["sealed"], layouts.TEXTS["sealed"]
    for name in layouts.NUMBERS:
        assert sealed["column_encoding"][name] == numbers["column_encoding"][name]
        assert sealed["compression_level"][name] == numbers["compression_level"]
    assert set(layouts.NAMES) <= set(sealed["use_dictionary"])
    assert sealed["column_encoding"]["record_id"] == texts["column_encoding"]["record_id"]
    assert sealed["compression_level"]["record_id"] == texts["compression_level"]
    assert numbers["row_group_size"] == compaction.ROW_GROUP_ROWS
