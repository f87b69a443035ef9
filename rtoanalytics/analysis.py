"""From a bundle to its answers: check the evidence, run the queries, take the measures, judge, write results/."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from rtoanalytics.bundle import check_values, open_bundle
from rtoanalytics.bundle.manifest import describe_file
from rtoanalytics.bundle.opening import bundle_folder, open_capture_problems
from rtoanalytics.bundle.swap import finish_interrupted
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics.engines.interruption import interruptible
from rtoanalytics.engines.limits import Limits, usual_memory
from rtoanalytics.engines.progress import LAYING, RESULTS, SEAL, VALUES, Steps, costs_of
from rtoanalytics.engines.spark import NAME as SPARK
from rtoanalytics.engines.spark import answered_on
from rtoanalytics.measures import Measures, take_measures
from rtoanalytics.remembered import Inputs, forget_summaries, is_current, recall, remember
from rtoanalytics.results import read_scorecard, repair_results, write_results
from rtoanalytics.scorecard import scorecard_document
from rtoanalytics.scorecard.checks import Case
from rtoanalytics.seal import sealed_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rtoanalytics.bundle import Bundle
    from rtoanalytics.bundle.manifest import Describe
    from rtoanalytics.engines.engine import Engine
    from rtoanalytics.engines.interruption import Interruption
    from rtoanalytics.engines.plan import Progress
    from rtoanalytics.engines.progress import Step
    from rtoanalytics.engines.spark import Target
    from rtoanalytics.errors import Problem

ENGINE = "duckdb"
"""Who computed the results that are remembered, unless Spark did."""


@dataclass(frozen=True)
class Answer:
    """What an analysis says of a bundle."""

    scorecard: dict[str, Any]
    """The content of scorecard.json."""
    current_since: str | None = None
    """When the results were written, where they stood already and nothing had changed since."""


def answer_bundle(
    root: Path,
    *,
    limits: Limits | None = None,
    again: bool = False,
    watch: Callable[[Step], None] | None = None,
    spark: Target | None = None,
) -> Answer:
    """The scorecard of a bundle: the one in results/ where nothing changed since it was made, else a new one.

    Takes and raises what `analyze_bundle` does; with `again`, the scorecard is always a new one.
    """
    answer = None if again else current_answer(root, spark)
    return answer or Answer(analyze_bundle(root, limits=limits, again=again, watch=watch, spark=spark))


def current_answer(root: Path, spark: Target | None = None) -> Answer | None:
    """The answer that stands in results/; None where any doubt is left whether a new analysis would give the same.

    `bundle.identity` says what is looked at, and what that cannot see.
    """
    root = bundle_folder(root)
    finish_interrupted(root)
    remembered = recall(root)
    if not remembered or open_capture_problems(root) or not is_current(root, remembered, _engine_name(spark)):
        return None
    return Answer(read_scorecard(root), remembered.analyzed_at)


def analyze_bundle(
    root: Path,
    *,
    limits: Limits | None = None,
    again: bool = False,
    watch: Callable[[Step], None] | None = None,
    spark: Target | None = None,
) -> dict[str, Any]:
    """Analyze one bundle, write its results/, and return the content of scorecard.json.

    Files that the last analysis found in order are not checked again, unless with `again`. `watch` is told each step
    when it begins, in another thread. Ctrl-C ends the analysis at once; the old results stand then, or the new ones.
    The chain runs on DuckDB, or on the Spark of `spark`.

    Raises DrillError or EvidenceError (with every problem) for bad input, QueryError when memory, temporary disk or a
    column does not suffice.
    """

    def work(interruption: Interruption) -> dict[str, Any]:
        run = _Run(bundle_folder(root), watch, interruption, again=again)
        try:
            return run.scorecard(limits, spark)
        except duckdb.Error:
            interruption.check()
            if not run.inputs.known:
                raise
        # A file that was in order may have been damaged since in a way that its times do not tell: read everything.
        return _Run(bundle_folder(root), watch, interruption, again=True).scorecard(limits, spark)

    return interruptible(work)


class _Run:
    """One analysis: what it has read before, who watches it and who may end it."""

    def __init__(
        self,
        root: Path,
        watch: Callable[[Step], None] | None,
        interruption: Interruption,
        *,
        again: bool,
    ) -> None:
        finish_interrupted(root)
        repair_results(root)
        self.root = root
        self.inputs = Inputs.of(root, None if again else recall(root))
        if again:
            forget_summaries(root)
        self.summaries = None if again else self.inputs.summaries(root)
        self.bundle = open_bundle(root)
        self.steps = Steps(watch, self._costs())
        self.interruption = interruption

    def scorecard(self, limits: Limits | None, spark: Target | None) -> dict[str, Any]:
        limits = limits or Limits()
        with self._answered(limits, spark) as engine:
            measures = take_measures(engine)
            self._at(SEAL)
            scorecard = scorecard_document(case_of(self.bundle, measures, self.inputs.describe))
            self._at(RESULTS)
            write_results(engine, scorecard, check=self.interruption.check)
        remember(self.root, _engine_name(spark), self.inputs)
        return scorecard

    @contextmanager
    def _answered(self, limits: Limits, spark: Target | None) -> Iterator[Engine]:
        """The engine that was asked for, on which the chain has run."""
        if spark:
            with answered_on(
                spark,
                self.bundle,
                scratch=limits.scratch,
                check=self._check,
                attend=self.interruption.ends,
                watch=self._at_query,
            ) as on_spark:
                yield on_spark
            return
        with open_engine(
            self.bundle,
            memory_limit=limits.memory_limit,
            usual_memory=usual_memory(self.bundle),
            scratch=limits.scratch,
            scratch_limit=limits.scratch_limit,
            check=self._check,
            attend=self._attend,
        ) as engine:
            lay = self.summaries.lay if self.summaries else None
            run_queries(engine, keep_long=False, watch=self._at_query, lay=lay)
            yield engine

    def _costs(self) -> dict[str, float]:
        known, unread = self.inputs.known, self.inputs.unread_bytes()
        return costs_of(self.bundle, known, unread, *([self.summaries.covered] if self.summaries else []))

    def _check(self, connection: duckdb.DuckDBPyConnection, bundle: Bundle) -> list[Problem]:
        self._at(VALUES)
        problems = check_values(connection, bundle, self.inputs.known)
        self._at(LAYING)
        return problems

    def _at(self, step: str) -> None:
        self.interruption.check()
        self.steps.at(step)

    def _at_query(self, progress: Progress) -> None:
        self.interruption.check()
        self.steps.at_query(progress)

    @contextmanager
    def _attend(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with self.interruption.ends(connection), self.steps.follow(connection):
            yield


def _engine_name(spark: Target | None) -> str:
    return SPARK if spark else ENGINE


def case_of(bundle: Bundle, measures: Measures, describe: Describe = describe_file) -> Case:
    """What the checks of a scorecard look at. Reads every byte of a sealed bundle that `describe` does not know."""
    state = sealed_state(bundle.root, describe)
    return Case(
        drill=bundle.drill,
        measures=measures,
        attachments=frozenset(bundle.attachments),
        seal=state.status.value,
        altered={problem.where: problem.found for problem in state.problems},
    )
