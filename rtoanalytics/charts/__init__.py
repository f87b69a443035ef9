"""Frame in, Altair chart out: each chart's title says the finding or the unit, its description says it in words.

Charts are pure: the same frame gives the same specification. Instants become seconds since the clock start, so that no
chart depends on a time zone. No chart draws more than `thinning.MAX_POINTS` points.
"""

from rtoanalytics.charts.backlog import burn_down
from rtoanalytics.charts.coverage import coverage
from rtoanalytics.charts.elapsed import Moments
from rtoanalytics.charts.findings import findings_map
from rtoanalytics.charts.on_screen import for_screen
from rtoanalytics.charts.recovery import condition_states, phases, rta_interval
from rtoanalytics.charts.runbook import runbook
from rtoanalytics.charts.series import BRUSH, Counts, Quantity, counts_by_kind, series, time_strip
from rtoanalytics.charts.stretches import state_stretches
from rtoanalytics.charts.style import WIDE
from rtoanalytics.charts.svg import draw_svg, untitled

__all__ = [
    "BRUSH",
    "WIDE",
    "Counts",
    "Moments",
    "Quantity",
    "burn_down",
    "condition_states",
    "counts_by_kind",
    "coverage",
    "draw_svg",
    "findings_map",
    "for_screen",
    "phases",
    "rta_interval",
    "runbook",
    "series",
    "state_stretches",
    "time_strip",
    "untitled",
]
