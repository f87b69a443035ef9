"""The query chain and the brute-force twin answer alike, and the books balance, on drills that nobody thought up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics.measures.ledger import FATES, check_balance
from tests.core.laws.drills import seeds
from tests.reference import compute
from tests.reference.agreement import disagreements
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", seeds(60))
def test_queries_agree_with_the_twin_and_the_ledger_balances(tmp_path: Path, seed: int) -> None:
    """Measures M1 to M10 are the same from SQL and from loops over rows, and every row of the ledger adds up."""
    drill, tables = random_drill(seed)
    write_bundle(tmp_path / "bundle", drill, tables)
    with open_engine(open_bundle(tmp_path / "bundle")) as engine:
        run_queries(engine)
        assert disagreements(engine, compute(drill, tables)) == []
        check_balance(engine.rows("ledger"))
        assert {row["fate"] for row in engine.rows("fates")} <= set(FATES)


def test_random_drills_are_worth_comparing() -> None:
    """Among the drills compared stand every fate, kind of finding and state: they agree not for want of cases."""
    found: set[str] = set()
    for seed in range(60):
        answers = compute(*random_drill(seed))
        found |= {row["fate"] for row in answers["fates"]} | {row["kind"] for row in answers["findings"]}
        found |= {step["state"] for step in answers["recovery"]["steps"]}
    kinds = {"run", "commit_rewind", "commit_jump", "offset_reset", "commit_above_log_end"}
    assert {*FATES, *kinds, "good", "bad", "unknown"} <= found
