"""The charts of a report as SVG, each in two widths: for paper and laptops, and for phones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from rtoanalytics import charts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import altair as alt

    from rtoanalytics.charts import Moments

    Draw = Callable[[dict[str, Any], str], str]
    """Makes SVG of a specification; the text keeps identifiers of several charts apart."""

PHONE = 340
"""Pixels across of a chart on a phone."""
MAX_GROUPS = 8
"""Most groups and downstreams with a chart of their own; tables list them all."""
MAX_STEPS = 60
"""Most runbook steps in one chart."""


@dataclass(frozen=True)
class Figure:
    """One chart on a page."""

    title: str
    caption: str
    description: str
    wide: str
    narrow: str


class Studio:
    """Draws the figures of one report; counts them, so that identifiers never meet."""

    def __init__(self, moments: Moments, draw: Draw = charts.draw_svg) -> None:
        self._moments = moments
        self._draw = draw
        self._count = 0

    def interval(self, recovery: Mapping[str, Any]) -> Figure:
        """Recovery time against its objective."""
        return self._figure(lambda width: charts.rta_interval(recovery, width))

    def recovery(self, recovery: Mapping[str, Any], steps: pl.DataFrame) -> list[Figure]:
        """Phases, and the states of every condition: what is known of them."""
        figures = []
        if any(phase["at"] is not None for phase in recovery["phases"]):
            figures.append(self._figure(lambda width: charts.phases(recovery, self._moments, width)))
        if steps.height:
            figures.append(self._figure(lambda width: charts.condition_states(steps, self._moments, width)))
        return figures

    def backlog(self, groups: list[dict[str, Any]], frame: pl.DataFrame) -> list[Figure]:
        """The burn-down of each group that has steps, largest peak first."""
        seen = set(frame["group_id"])
        ranked = sorted((group for group in groups if group["group_id"] in seen), key=_by_peak)
        return [self._burn_down(group, frame) for group in ranked[:MAX_GROUPS]]

    def findings(self, frame: pl.DataFrame) -> list[Figure]:
        """A map of partitions over time for each downstream that has runs, most records first."""
        runs = frame.filter((pl.col("kind") == "run") & pl.col("first_acked_at").is_not_null())
        totals = (
            runs.group_by("downstream").agg(pl.sum("records")).sort("records", "downstream", descending=[True, False])
        )
        names = totals["downstream"].head(MAX_GROUPS).to_list()
        return [self._map(runs.filter(pl.col("downstream") == name)) for name in names]

    def timeline(self, frame: pl.DataFrame) -> list[Figure]:
        """Planned and actual times of the runbook."""
        steps = runbook_steps(frame, self._moments)[:MAX_STEPS]
        return [self._figure(lambda width: charts.runbook(steps, self._moments, width))] if steps else []

    def coverage(self, frame: pl.DataFrame) -> list[Figure]:
        """When each collector was alive."""
        if not frame.select(pl.any_horizontal(pl.col("first_heartbeat_at", "first_row_at").is_not_null()).any()).item():
            return []
        return [self._figure(lambda width: charts.coverage(frame, self._moments, width))]

    def _burn_down(self, group: dict[str, Any], frame: pl.DataFrame) -> Figure:
        return self._figure(lambda width: charts.burn_down(frame, group, self._moments, width))

    def _map(self, runs: pl.DataFrame) -> Figure:
        return self._figure(lambda width: charts.findings_map(runs, self._moments, width))

    def _figure(self, chart_of: Callable[[int], alt.LayerChart]) -> Figure:
        self._count += 1
        wide, narrow = (chart_of(width).to_dict(validate=False) for width in (charts.WIDE, PHONE))
        return Figure(
            title=wide["title"]["text"],
            caption=" ".join(wide["title"]["subtitle"]),
            description=wide["description"],
            wide=self._draw(charts.untitled(wide), f"wide{self._count}"),
            narrow=self._draw(charts.untitled(narrow), f"narrow{self._count}"),
        )


def runbook_steps(frame: pl.DataFrame, moments: Moments) -> list[dict[str, Any]]:
    """Each planned step with when it was planned and when it happened, in seconds since zero.

    An event belongs to a step if it names the step, or is of the step's event kind; the first one counts.
    """
    rows = frame.sort("occurred_at", maintain_order=True).to_dicts()
    events = [row for row in rows if row["origin"] == "event"]
    return [_step(row, events, moments) for row in rows if row["origin"] == "planned"]


def _step(planned: dict[str, Any], events: list[dict[str, Any]], moments: Moments) -> dict[str, Any]:
    happened = (row for row in events if row["step"] == planned["step"] or row["kind"] == planned["kind"])
    first = next(happened, None)
    return {
        "step": planned["step"] or planned["kind"],
        "planned_seconds": moments.seconds(planned["occurred_at"]),
        "actual_seconds": moments.seconds(first["occurred_at"]) if first else None,
    }


def _by_peak(group: Mapping[str, Any]) -> tuple[int, str]:
    return -(group["peak_lag_records"] or 0), group["group_id"]
