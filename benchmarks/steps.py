"""`python -m benchmarks.steps BUNDLE`: the seconds of each step of one analysis, as one line of JSON.

The steps are those of `rto analyze`; nothing is written.
"""

from __future__ import annotations

import json
import sys
import time

_STARTED = time.perf_counter()

from pathlib import Path  # noqa: E402  (the clock runs before the imports that it times)
from typing import TYPE_CHECKING  # noqa: E402

from rtoanalytics.bundle import open_bundle  # noqa: E402
from rtoanalytics.engines.duckdb import open_engine, run_queries  # noqa: E402
from rtoanalytics.measures import take_measures  # noqa: E402
from rtoanalytics.results import RELATIONS, with_instants  # noqa: E402

if TYPE_CHECKING:
    from rtoanalytics.engines.plan import Progress


class Clock:
    """Seconds by step, in the order in which they were taken."""

    def __init__(self, started: float) -> None:
        self.seconds: dict[str, float] = {}
        self._last = started
        self._query = ""

    def tick(self, step: str) -> None:
        """A step ends now."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 4)
        self._last = now

    def at_query(self, progress: Progress) -> None:
        """A query begins now, or the last one has ended."""
        if self._query:
            self.tick(f"query {self._query}")
        self._query = progress.query


def steps_of(root: Path) -> dict[str, float]:
    """The steps of one analysis."""
    clock = Clock(_STARTED)
    clock.tick("imports")
    bundle = open_bundle(root)
    clock.tick("open")
    with open_engine(bundle) as engine:
        clock.tick("check values")
        run_queries(engine, keep_long=False, watch=clock.at_query)
        take_measures(engine)
        clock.tick("measures")
        for relation in RELATIONS:
            with_instants(engine.arrow(relation))
        clock.tick("results")
    return clock.seconds


if __name__ == "__main__":
    print(json.dumps(steps_of(Path(sys.argv[1]))))
