"""Charts that only the app shows: their specifications are golden files, and none draws too many points.

After a change that is meant, write the files anew and read the difference before it goes in:

    UPDATE_GOLDEN=1 make test ARGS="tests/app/test_chart_specs.py"
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from rtoanalytics import charts
from rtoanalytics.charts import Counts, Quantity
from rtoanalytics.charts.elapsed import moments_of
from rtoanalytics.charts.recovery import phase_bands
from rtoanalytics.charts.style import PALETTE
from tests.core.report import story

if TYPE_CHECKING:
    from collections.abc import Callable

    import altair as alt

GOLDEN = Path(__file__).with_name("golden")
SCORECARD = story.scorecard()
MOMENTS = moments_of(SCORECARD)
STEPS = story.burn_down().filter(pl.col("group_id") == "payments-sink")
LAG = Quantity("lag_records", "lag", "records behind", "lag_records_high", 1_000)


def produces() -> pl.DataFrame:
    """Acks in every second, failures for a few of them."""
    rows = [("acked", story.after(second), 900) for second in range(-5, 20) if not 2 <= second < 5]
    rows += [("failed", story.after(second), second) for second in (2, 3, 4)]
    return pl.DataFrame(
        rows, schema={"outcome": pl.String, "step_at": story.INSTANT, "produces": pl.Int64}, orient="row"
    )


def stretches() -> pl.DataFrame:
    """One connection that was lost and came back, and one that stayed."""
    rows = [
        ("connection", "api", "b:1", "UP", True, story.after(-30), story.after(60)),
        ("connection", "api", "b:2", "UP", True, story.after(-30), story.after(1)),
        ("connection", "api", "b:2", "DOWN", False, story.after(1), story.after(21)),
        ("connection", "api", "b:2", "UP", True, story.after(21), story.after(60)),
    ]
    names = ("kind", "subject", "place", "state", "is_sound", "from_at", "until_at")
    return pl.DataFrame(rows, schema=names, orient="row")


def holes() -> pl.DataFrame:
    """The hole of the story's watermarks."""
    row = {"table_name": "watermarks", "collector": "watermarks", "target": "", "kind": "hole"}
    return pl.DataFrame([{**row, "from_at": story.after(48), "until_at": story.after(57)}])


MADE: dict[str, Callable[[], alt.LayerChart]] = {
    "lag": lambda: charts.series(
        STEPS, [LAG], MOMENTS, title="lag", chosen=(-5.0, 20.0), bands=phase_bands(SCORECARD["recovery"], MOMENTS)
    ),
    "time-strip": lambda: charts.time_strip(STEPS, "lag_records", MOMENTS),
    "produces": lambda: charts.counts_by_kind(
        produces(),
        Counts("outcome", "produces", "step_at", "a step", {"acked": "accent", "failed": "fail"}),
        MOMENTS,
        title="How produces ended",
    ),
    "stretches": lambda: charts.state_stretches(stretches(), MOMENTS, title="Connections"),
    "coverage-holes": lambda: charts.coverage(story.frames()["coverage"], MOMENTS, holes=holes()),
}


def points(specification: Any) -> int:  # noqa: ANN401  (any part of a specification)
    """Rows of data in a specification."""
    if isinstance(specification, dict):
        values = specification.get("values")
        return max([len(values) if isinstance(values, list) else 0, *(points(item) for item in specification.values())])
    if isinstance(specification, list):
        return max([0, *(points(item) for item in specification)])
    return 0


@pytest.mark.parametrize("name", MADE)
def test_specifications_are_the_same_to_the_byte(name: str) -> None:
    """Each chart's specification is its golden file."""
    text = json.dumps(MADE[name]().to_dict(), indent=1, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text, f"{path.name} differs; UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize("name", MADE)
def test_no_light_color_is_left_in_the_dark(name: str) -> None:
    """On a dark page a chart has the dark twin of every color, keeps its data, and is told to screen readers."""
    specification = MADE[name]().to_dict()
    dark = charts.for_screen(specification, is_dark=True)
    left = {tone.light for tone in PALETTE.values() if f'"{tone.light}"' in json.dumps(dark)}
    assert not left - {tone.dark for tone in PALETTE.values()}
    assert dark["config"]["aria"] is True
    assert points(dark) == points(specification)
    assert dark["description"] == specification["description"]


def test_long_drills_are_thinned() -> None:
    """A day of seconds is drawn with at most 5,000 points, and the highest of them stays."""
    start = story.CLOCK
    lags = [step % 977 for step in range(86_400)]
    lags[50_000] = 5_000_000
    long = pl.DataFrame(
        {
            "step_at": [start + timedelta(seconds=step) for step in range(len(lags))],
            "lag_records": lags,
            "lag_records_high": lags,
        },
        schema_overrides={"step_at": story.INSTANT},
    )
    for chart in (charts.series(long, [LAG], MOMENTS, title="lag"), charts.time_strip(long, "lag_records", MOMENTS)):
        specification = chart.to_dict()
        assert points(specification) <= 5_000
        assert "5000000" in json.dumps(specification)
