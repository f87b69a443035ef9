"""Charts are tested on their specifications: what they say, what they draw, and what they leave out."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from rtoanalytics import charts
from rtoanalytics.charts.elapsed import moments_of
from rtoanalytics.charts.style import PALETTE, dark_css
from rtoanalytics.charts.thinning import MAX_POINTS, thinned
from rtoanalytics.report.figures import PHONE, runbook_steps
from tests.core.report import story
from tests.core.report.goldens import assert_golden

if TYPE_CHECKING:
    from collections.abc import Callable

    import altair as alt

MOMENTS = moments_of(story.scorecard())


def runs(downstream: str) -> pl.DataFrame:
    """Runs of one downstream."""
    return story.findings().filter((pl.col("kind") == "run") & (pl.col("downstream") == downstream))


CHARTS: dict[str, Callable[[int], alt.LayerChart]] = {
    "rta_interval": lambda width: charts.rta_interval(story.scorecard()["recovery"], width),
    "phases": lambda width: charts.phases(story.scorecard()["recovery"], MOMENTS, width),
    "condition_states": lambda width: charts.condition_states(story.recovery_steps(), MOMENTS, width),
    "burn_down": lambda width: charts.burn_down(story.burn_down(), story.scorecard()["backlog"][0], MOMENTS, width),
    "findings_map": lambda width: charts.findings_map(runs("payments-db"), MOMENTS, width),
    "runbook": lambda width: charts.runbook(runbook_steps(story.timeline(), MOMENTS), MOMENTS, width),
    "coverage": lambda width: charts.coverage(story.frames()["coverage"], MOMENTS, width),
}


def specification(chart: alt.LayerChart) -> dict[str, Any]:
    """What the chart draws, without the address of the Vega-Lite version."""
    return {name: value for name, value in chart.to_dict().items() if name != "$schema"}


@pytest.mark.parametrize("name", CHARTS)
def test_specification(name: str) -> None:
    """Each chart of the story is drawn from exactly this specification."""
    text = json.dumps(specification(CHARTS[name](charts.WIDE)), indent=1, ensure_ascii=False, sort_keys=True)
    assert_golden(f"charts/{name}.json", text + "\n")


@pytest.mark.parametrize("name", CHARTS)
def test_words(name: str) -> None:
    """Each chart has a title and a description that says in words what it shows."""
    drawn = specification(CHARTS[name](charts.WIDE))
    assert drawn["title"]["text"]
    assert len(drawn["description"]) > len("Bands over time.")


@pytest.mark.parametrize("width", [charts.WIDE, PHONE])
@pytest.mark.parametrize("name", CHARTS)
def test_svg_is_deterministic_and_fits(name: str, width: int) -> None:
    """The same chart gives the same SVG, whatever was drawn before; it has no size, script or address."""
    first = charts.draw_svg(CHARTS[name](width).to_dict(), "a")
    charts.draw_svg(CHARTS["burn_down"](width).to_dict(), "b")
    assert charts.draw_svg(CHARTS[name](width).to_dict(), "a") == first
    assert not re.search(r"<svg[^>]* (width|height)=", first)
    assert "viewBox" in first
    assert "<script" not in first
    assert not re.findall(r"https?://(?!www\.w3\.org/)", first)


@pytest.mark.parametrize("name", CHARTS)
def test_every_color_has_a_dark_twin(name: str) -> None:
    """Every color in the SVG is one of the palette's, so that the page can turn it into its dark twin."""
    drawn = charts.draw_svg(charts.untitled(CHARTS[name](charts.WIDE).to_dict()), "a")
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]+|[a-z]+)"', drawn)) - {"none", "transparent"}
    assert used <= {tone.light for tone in PALETTE.values()}


def test_light_values_are_unique() -> None:
    """No two roles share a light value: the dark twin is found by it."""
    lights = [tone.light for tone in PALETTE.values()]
    assert len(set(lights)) == len(lights)
    assert dark_css(".chart").count("{") == 2 * len(lights)


@pytest.mark.parametrize("role", ["pass", "fail", "inconclusive", "not_applicable", "ink", "muted", "accent"])
@pytest.mark.parametrize(("surroundings", "paper"), [("light", "#ffffff"), ("dark", "#161c25")])
def test_contrast(role: str, surroundings: str, paper: str) -> None:
    """Text colors stand out from their paper by at least 4.5 to 1 (WCAG AA), in light and in dark."""
    assert contrast(getattr(PALETTE[role], surroundings), paper) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colors as WCAG defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(hexadecimal: str) -> float:
    """The relative luminance of a color as WCAG defines it."""
    channels = [int(hexadecimal[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_from_evidence_is_escaped() -> None:
    """Markup in the name of a topic is text in the SVG."""
    hostile = runs("payments-db").with_columns(topic=pl.lit('<script>alert("x")</script>&'))
    drawn = charts.draw_svg(charts.findings_map(hostile, MOMENTS).to_dict(), "a")
    assert "<script" not in drawn
    assert "&lt;script" in drawn


def test_a_long_capture_is_thinned() -> None:
    """A day of seconds is drawn with at most MAX_POINTS points; peak and trough stay, and the caption says so."""
    count = 86_400
    lag = [7] * count
    lag[40_000], lag[40_001] = 9_999, 0
    frame = pl.DataFrame(
        {
            "group_id": ["payments-sink"] * count,
            "step_at": [story.CLOCK + timedelta(seconds=second) for second in range(count)],
            "lag_records": lag,
            "lag_records_high": lag,
        },
        schema_overrides={"step_at": story.INSTANT},
    )
    drawn = specification(charts.burn_down(frame, story.scorecard()["backlog"][0], MOMENTS))
    points = max(drawn["datasets"].values(), key=len)
    shown = [point["lag_records"] for point in points]
    assert len(shown) <= MAX_POINTS
    assert {9_999, 0} <= set(shown)
    assert "of 86,400 steps" in drawn["title"]["subtitle"][0]


@pytest.mark.parametrize("rows", [0, 1, 2, 99, 100, 101, 1_000])
def test_thinning_keeps_ends_and_order(rows: int) -> None:
    """Thinning never exceeds its limit, keeps the first and the last row, and the order."""
    frame = pl.DataFrame(
        {"second": range(rows), "lag": [(row * 37) % 101 for row in range(rows)]},
        schema={"second": pl.Int64, "lag": pl.Int64},
    )
    kept = thinned(frame, ["lag"], limit=100)["second"].to_list()
    assert len(kept) <= 100
    assert kept == sorted(kept)
    assert kept[:1] == list(range(rows))[:1]
    assert kept[-1:] == list(range(rows))[-1:]


def test_an_unknown_stretch_is_a_gap() -> None:
    """Steps without a known lag interrupt the line: nothing is drawn across them."""
    frame = story.burn_down().with_columns(
        lag_records=pl.when(pl.col("step_at").is_between(story.after(50), story.after(56)))
        .then(None)
        .otherwise(pl.col("lag_records"))
    )
    whole = charts.draw_svg(
        charts.burn_down(story.burn_down(), story.scorecard()["backlog"][0], MOMENTS).to_dict(), "a"
    )
    broken = charts.draw_svg(charts.burn_down(frame, story.scorecard()["backlog"][0], MOMENTS).to_dict(), "a")
    assert line_parts(broken) == line_parts(whole) + 1


def line_parts(svg: str) -> int:
    """Stretches of the lag line: how often its path is begun."""
    accent = f'stroke="{PALETTE["accent"].light}"'
    (line,) = [path[0] for path in re.finditer(r"<path [^>]*>", svg) if accent in path[0]]
    return line.count("M")


def test_thinning_keeps_gaps() -> None:
    """A stretch without a known value is still a gap when it is thinned."""
    lag = [5 if second != 50_000 else None for second in range(86_400)]
    kept = thinned(pl.DataFrame({"lag": lag}), ["lag"], limit=100)
    assert kept["lag"].null_count() == 1


def test_flapping_conditions_are_drawn_at_their_worst() -> None:
    """Where states change more often than can be drawn, the worst of each stretch is, and the caption says so."""
    steps = 20_000
    frame = pl.DataFrame(
        {
            "condition": ["all"] * steps,
            "step_at": [story.after(second) for second in range(steps)],
            "state": ["good" if second % 3 else "bad" for second in range(steps)],
        },
        schema_overrides={"step_at": story.INSTANT},
    )
    drawn = specification(charts.condition_states(frame, MOMENTS))
    states = [row["state"] for rows in drawn["datasets"].values() for row in rows if "state" in row]
    assert states == ["bad"]
    assert "the worst of each stretch is drawn" in drawn["title"]["subtitle"][0]


def test_many_findings_are_drawn_as_few_marks() -> None:
    """However many runs there are, one map draws at most MAX_POINTS marks, counts every record, and says so."""
    instants = pl.col("first_acked_at", "last_acked_at")
    many = pl.concat(
        [
            runs("payments-db").with_columns(instants + timedelta(seconds=second), partition=pl.lit(number, pl.Int32))
            for number in range(60)
            for second in range(0, 3_000, 10)
        ]
    )
    drawn = specification(charts.findings_map(many, MOMENTS))
    marks = max(drawn["datasets"].values(), key=len)
    assert 2 * len(marks) <= MAX_POINTS + 2 * 40 * 2
    assert sum(mark["records"] for mark in marks) == 40 * 300 * (225 + 12)
    assert "20 more partitions are not drawn" in drawn["title"]["subtitle"][0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "restored"}, "Restored 39 to 41 s"),
        ({"outcome": "censored", "rta_seconds_high": None}, "Not restored within the capture, 39 s or more"),
        ({"outcome": "no_impact", "rta_seconds_low": 0.0, "rta_seconds_high": 0.0}, "No condition was ever broken"),
        ({"outcome": "unknown", "rta_seconds_low": None, "rta_seconds_high": None}, "Recovery time is not known"),
    ],
)
def test_every_outcome_can_be_drawn(changes: dict[str, Any], words: str) -> None:
    """The interval is drawn and put in words for every outcome, an open end included."""
    drawn = charts.rta_interval({**story.scorecard()["recovery"], **changes}).to_dict()
    assert words in drawn["title"]["text"]
    assert "objective 120 s" in charts.draw_svg(drawn, "a")


def test_a_step_nobody_saw() -> None:
    """A planned step without an event is drawn as not seen, never as on time."""
    drawn = charts.runbook([{"step": "switch", "planned_seconds": 60.0, "actual_seconds": None}], MOMENTS).to_dict()
    assert "switch planned at 1:00, not seen" in drawn["description"]
