"""From a bundle to its answers: check the evidence, run the queries, take the measures, judge, write results/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics.measures import Measures, take_measures
from rtoanalytics.results import write_results
from rtoanalytics.scorecard import scorecard_document
from rtoanalytics.scorecard.checks import Case
from rtoanalytics.seal import sealed_state

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.bundle import Bundle


def analyze_bundle(root: Path, *, memory_limit: str | None = None, scratch: Path | None = None) -> dict[str, Any]:
    """Analyze one bundle, write its results/, and return the content of scorecard.json.

    Raises DrillError or EvidenceError (with every problem) for bad input, QueryError when memory or a column does not
    suffice. `memory_limit` and `scratch` are those of `open_engine`.
    """
    bundle = open_bundle(root)
    with open_engine(bundle, memory_limit=memory_limit, scratch=scratch) as engine:
        run_queries(engine, keep_long=False)
        scorecard = scorecard_document(case_of(bundle, take_measures(engine)))
        write_results(engine, scorecard)
    return scorecard


def case_of(bundle: Bundle, measures: Measures) -> Case:
    """What the checks of a scorecard look at. Reads every byte of a sealed bundle."""
    state = sealed_state(bundle.root)
    return Case(
        drill=bundle.drill,
        measures=measures,
        attachments=frozenset(bundle.attachments),
        seal=state.status.value,
        altered={problem.where: problem.found for problem in state.problems},
    )
