"""What if: the same evidence under other terms is what an analysis under those terms would have said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.errors import UsageError
from rtoanalytics.results import FOLDER
from rtoanalytics.what_if import Terms, WhatIf, queries_of_terms, terms_of
from tests.core.golden.test_golden import damaged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.core.scorecard.passing import Definition

Move = tuple["Callable[[Terms], Terms]", "Callable[[Definition], object]"]


def restored(definition: Definition) -> Definition:
    """The part of a definition that says when the service counts as restored."""
    found: Definition = definition["objectives"]["restored_when"]
    return found


MOVES: dict[str, Move] = {
    "nothing": (lambda terms: terms, lambda _: None),
    "rto": (
        lambda terms: replace(terms, rto_seconds=10.0),
        lambda definition: definition["objectives"].update(rto_seconds=10),
    ),
    "hold": (
        lambda terms: replace(terms, hold_seconds=25.0),
        lambda definition: restored(definition).update(hold_seconds=25),
    ),
    "lag": (
        lambda terms: replace(terms, lag_records={"payments-sink": 5}),
        lambda definition: restored(definition)["conditions"][0].update(max_records=5),
    ),
    "tolerances": (
        lambda terms: replace(
            terms, criteria={**terms.criteria, "max_duplicated_records": 50, "max_lost_records": None}
        ),
        lambda definition: (
            definition["criteria"].update(max_duplicated_records=50),
            definition["criteria"].pop("max_lost_records"),
        ),
    ),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> WhatIf:
    """A drill with a bit of everything, not sealed, analyzed under its own terms."""
    root = tmp_path_factory.mktemp("stored") / "bundle"
    damaged().judge(root, sealed=False)
    return WhatIf(root)


@pytest.mark.parametrize("name", MOVES)
def test_moved_terms_judge_as_an_analysis_would(opened: WhatIf, tmp_path: Path, name: str) -> None:
    """Under moved terms the scorecard is, to the byte, that of a drill defined so; results/ stay as they are."""
    move, edit = MOVES[name]
    before = {path.name: path.read_bytes() for path in (opened.bundle.root / FOLDER).iterdir()}
    judged = opened.judge(move(terms_of(opened.bundle.drill)))
    other = damaged()
    edit(other.definition)
    assert judged == analyze_bundle(other.write(tmp_path / "bundle", sealed=False))
    assert {path.name: path.read_bytes() for path in (opened.bundle.root / FOLDER).iterdir()} == before


def test_terms_that_no_drill_may_have(opened: WhatIf) -> None:
    """A negative limit is refused with the name of the field."""
    terms = terms_of(opened.bundle.drill)
    with pytest.raises(UsageError, match="rto_seconds"):
        opened.judge(replace(terms, rto_seconds=-1.0))


def test_long_tables_are_not_read_again() -> None:
    """What knows of the terms stands above the tables with a row for every record."""
    assert not queries_of_terms() & {"record_fates", "fates", "ledger", "findings", "lag"}
    assert {"recovery", "recovery_times", "backlog"} <= queries_of_terms()
