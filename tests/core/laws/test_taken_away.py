"""Evidence that is taken away never turns a verdict into pass: what nobody captured cannot be to anybody's credit.

Two tables do not vouch for anything themselves; they limit what others may vouch for:

* `heartbeats` show the holes in other tables and how far clocks were off. Without them M9 and M11 see no hole, so
  single checks may pass that a hole had kept open. The drill does not: `evidence_coverage` asks for heartbeats.
* `cluster_info` tells that a cluster only imitates Kafka. Without it, what was not_applicable is judged.

And one measure has a second source: without `watermarks`, M7 takes the log ends from acknowledgements, and the recovery
time stands on those. Final lag, peak and drain time, and the drill as a whole, never pass that way.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.core.laws.drills import answers_of, every_verdict, seeds
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.laws.drills import Scorecard
    from tests.reference.evidence import Tables

LIMITING = {"heartbeats", "cluster_info"}
SECOND_SOURCE = {
    "recovery",
    "check recovery_time",
    "check capture_spans_recovery",
    "check clocks_agree",
    "row rto_target",
}
"""What may stand on acknowledgements where log ends were not captured."""


def turned_to_pass(before: Scorecard, after: Scorecard) -> list[str]:
    """Verdicts that are pass and were not."""
    was = every_verdict(before)
    return [name for name, verdict in every_verdict(after).items() if verdict == "pass" and was.get(name) != "pass"]


def improved(before: Scorecard, after: Scorecard, *taken: str) -> list[str]:
    """Verdicts that are pass and were not, for no reason that M7 gives."""
    found = turned_to_pass(before, after)
    return [name for name in found if "watermarks" not in taken or name not in SECOND_SOURCE]


def without(tables: Tables, *names: str) -> Tables:
    """The evidence without some tables."""
    return {name: rows for name, rows in tables.items() if name not in names}


@pytest.mark.parametrize("seed", seeds(4))
def test_no_table_taken_away_turns_a_verdict_into_pass(tmp_path: Path, seed: int) -> None:
    """Of each table taken away: no check, row, recovery time, recovery point or drill passes that did not."""
    drill, tables = random_drill(seed)
    before = answers_of(tmp_path / "all", drill, tables).scorecard
    for table in sorted(tables.keys() - LIMITING):
        after = answers_of(tmp_path / table, drill, without(tables, table)).scorecard
        assert improved(before, after, table) == [], table


@pytest.mark.parametrize("seed", seeds(6))
def test_without_what_limits_others_the_drill_passes_no_more_than_before(tmp_path: Path, seed: int) -> None:
    """A drill that did not pass does not pass without its heartbeats; neither does one without any table at all."""
    drill, tables = random_drill(seed)
    before = answers_of(tmp_path / "all", drill, tables).scorecard
    after = answers_of(tmp_path / "fewer", drill, without(tables, "heartbeats")).scorecard
    nothing = answers_of(tmp_path / "none", drill, {}).scorecard
    assert "drill" not in turned_to_pass(before, after)
    assert turned_to_pass(before, nothing) == []


@pytest.mark.parametrize("seed", seeds(4))
def test_tables_taken_away_one_after_the_other(tmp_path: Path, seed: int) -> None:
    """Losing evidence table by table, in an order of its own for each drill, never improves on any verdict before."""
    drill, tables = random_drill(seed)
    names = sorted(tables.keys() - LIMITING)
    order = Random(seed).sample(names, min(5, len(names)))
    before = answers_of(tmp_path / "all", drill, tables).scorecard
    for count in range(1, len(order) + 1):
        after = answers_of(tmp_path / str(count), drill, without(tables, *order[:count])).scorecard
        assert improved(before, after, order[count - 1]) == [], order[:count]
        before = after
