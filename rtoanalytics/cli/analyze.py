"""`rto analyze`: from bundles to verdicts."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rtoanalytics.cli.limits import MemoryLimitOption, ScratchLimitOption
from rtoanalytics.cli.places import at_hand
from rtoanalytics.cli.watching import watched
from rtoanalytics.errors import RtoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtoanalytics.cli.places import Place
    from rtoanalytics.engines.limits import Limits
    from rtoanalytics.engines.spark import Target

_STATUS = {"pass": 0, "fail": 1, "inconclusive": 2}
_COULD_NOT_RUN = 3
_BADNESS = (3, 1, 2, 0)
"""Exit statuses from worst to best: of several bundles the worst answers."""


class EngineName(StrEnum):
    """What runs the queries."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def analyze(
    bundles: Annotated[
        list[str], typer.Argument(metavar="BUNDLE...", help="Folders of drills, or s3://bucket/prefix.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print scorecard.json, one compact line a bundle.")] = False,
    memory_limit: MemoryLimitOption = None,
    scratch: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to spill (default: the system's temporary folder).")
    ] = None,
    scratch_limit: ScratchLimitOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read everything and analyze anew, also where nothing has changed.")
    ] = False,
    engine: Annotated[
        EngineName, typer.Option(help="What runs the queries; spark needs the extra [spark] and Java.")
    ] = EngineName.DUCKDB,
    master: Annotated[
        str | None, typer.Option(metavar="URL", help="Spark cluster: spark://…, yarn, k8s://…, or local[N] (default).")
    ] = None,
    remote: Annotated[
        str | None, typer.Option(metavar="URL", help="Spark Connect server to use instead: sc://host:port.")
    ] = None,
    conf: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting of Spark's own; may be repeated.")
    ] = None,
) -> int:
    """Reconcile and judge drills: write results/ of each bundle and show its scorecard.

    Where nothing has changed since results/ was written, the scorecard in it is shown at once. Ctrl-C (or SIGTERM)
    ends an analysis with 130 (143) and leaves the old results or the new ones, whole.

    Ends with 0 (pass), 1 (fail), 2 (inconclusive) or 3 (could not run); of several bundles the worst: 3 > 1 > 2 > 0.
    """
    from rtoanalytics.cli.ending import one_line_when_stopped
    from rtoanalytics.engines.limits import Limits

    limits = Limits(memory_limit, scratch, scratch_limit)
    limits.check()
    spark = _spark(engine, limits, master, remote, conf)
    with one_line_when_stopped("results are as they were, or new ones and whole"):
        return worst_status([_analyze(bundle, as_json, limits, again, spark) for bundle in bundles])


def worst_status(statuses: Iterable[int]) -> int:
    """The worst of several exit statuses.

    >>> worst_status([0, 2, 1])
    1
    """
    found = set(statuses)
    return next(status for status in _BADNESS if status in found or status == 0)


def _spark(
    engine: EngineName, limits: Limits, master: str | None, remote: str | None, conf: list[str] | None
) -> Target | None:
    """The Spark that was asked for; None for DuckDB. Raises UsageError where options do not go together."""
    if engine is EngineName.DUCKDB:
        if master or remote or conf:
            msg = "--master, --remote and --conf are Spark's; add --engine spark"
            raise UsageError(msg)
        return None
    if limits.memory_limit or limits.scratch_limit:
        msg = "--memory-limit and --scratch-limit are DuckDB's; for Spark write --conf spark.driver.memory=4g"
        raise UsageError(msg)
    from rtoanalytics.engines.spark import Target

    settings = [setting.partition("=") for setting in conf or ()]
    unclear = [name for name, sign, _ in settings if not sign or not name.startswith("spark.")]
    if unclear:
        msg = f"--conf {unclear[0]}: no setting of Spark's; write for instance --conf spark.executor.memory=8g"
        raise UsageError(msg)
    return Target(master, remote, {name: value for name, _, value in settings})


def _analyze(bundle: str, as_json: bool, limits: Limits, again: bool, spark: Target | None) -> int:
    from rtoanalytics.analysis import answer_bundle

    try:
        with at_hand(bundle, limits.scratch) as place:
            # Nobody looks where a program reads the answer.
            with watched(place.root, is_seen=not as_json or sys.stdout.isatty()) as watch:
                spark = _seen_from(spark, place)
                answer = answer_bundle(place.root, limits=limits, again=again, watch=watch, spark=spark)
            place.publish_results()
    except RtoError as error:
        # One bundle that cannot be read does not stop the others.
        print("\n".join(f"rto: {_placed(bundle, line)}" for line in str(error).splitlines()), file=sys.stderr)
        return _COULD_NOT_RUN
    if answer.current_since:
        print(f"{bundle}: results of {answer.current_since} are current: nothing changed since", file=sys.stderr)
    _show(place.results(bundle), answer.scorecard, as_json)
    return _STATUS[answer.scorecard["verdict"]]


def _seen_from(spark: Target | None, place: Place) -> Target | None:
    """The executors of a cluster read a store themselves; Spark on this machine reads the copy."""
    if spark is None or spark.is_on_this_machine or place.location is None:
        return spark
    return replace(spark, location=f"s3a://{place.location.path}")


def _placed(bundle: str, line: str) -> str:
    """A line of a message, with the bundle it is about unless it says so itself."""
    return line if line.startswith(f"{bundle}:") else f"{bundle}: {line}"


def _show(results: str, scorecard: dict[str, Any], as_json: bool) -> None:
    from rtoanalytics.results import scorecard_line

    if as_json:
        print(scorecard_line(scorecard))
        return
    from rich.console import Console

    from rtoanalytics.report.terminal import print_scorecard

    print_scorecard(scorecard, Console())
    print(f"results in {results}", file=sys.stderr)
