"""`python -m benchmarks.steps BUNDLE`: the seconds of each step of one analysis, as one line of JSON.

The steps are those of `rto analyze`, with one difference: queries run one by one and every relation stays, so that the
time of each can be told.
"""

from __future__ import annotations

import json
import sys
import time

_STARTED = time.perf_counter()

from pathlib import Path  # noqa: E402  (the clock runs before the imports that it times)

from rtoanalytics.bundle import open_bundle  # noqa: E402
from rtoanalytics.engines.duckdb import open_engine, run_queries  # noqa: E402
from rtoanalytics.measures import take_measures  # noqa: E402
from rtoanalytics.queries import in_order, load_queries  # noqa: E402
from rtoanalytics.results import RELATIONS, with_instants  # noqa: E402


class Clock:
    """Seconds by step, in the order in which they were taken."""

    def __init__(self, started: float) -> None:
        self.seconds: dict[str, float] = {}
        self._last = started

    def tick(self, step: str) -> None:
        """A step ends now."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 4)
        self._last = now


def steps_of(root: Path) -> dict[str, float]:
    """The steps of one analysis; nothing is written."""
    clock = Clock(_STARTED)
    clock.tick("imports")
    bundle = open_bundle(root)
    clock.tick("open")
    with open_engine(bundle) as engine:
        clock.tick("check values")
        for query in in_order(load_queries()):
            run_queries(engine, [query.name])
            clock.tick(f"query {query.name}")
        take_measures(engine)
        clock.tick("measures")
        for relation in RELATIONS:
            with_instants(engine.arrow(relation))
        clock.tick("results")
    return clock.seconds


if __name__ == "__main__":
    print(json.dumps(steps_of(Path(sys.argv[1]))))
