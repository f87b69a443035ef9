"""Tables with a row for every record go when nothing needs them any more, and no answer changes by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine, run_queries
from rtoanalytics.engines.plan import LONG, VIEWS
from rtoanalytics.measures import take_measures
from rtoanalytics.queries import load_queries
from rtoanalytics.results import RELATIONS
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path

    from rtoanalytics.engines.duckdb import Engine
    from tests.reference.drill_facts import Drill
    from tests.reference.evidence import Tables


def tables_of(engine: Engine) -> set[str]:
    """Names of the tables that stand, views left out."""
    rows = engine.connection.sql("select table_name from duckdb_tables()").fetchall()
    return {str(row[0]) for row in rows}


def test_they_are_queries() -> None:
    """Views and long tables are named after queries, and none is both."""
    assert set(load_queries()) >= VIEWS | LONG
    assert not VIEWS & LONG


@pytest.mark.parametrize("seed", range(8))
def test_answers_are_the_same_without_them(tmp_path: Path, seed: int) -> None:
    """Every measure and every file of results/ is the same whether long tables are kept or dropped."""
    assert_same_answers(tmp_path / "bundle", *random_drill(seed))


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_the_same_where_identity_is_matched_by(tmp_path: Path, seed: int) -> None:
    """So they are when every downstream matches by identity, and tables stand between the effects and their places."""
    drill, tables = random_drill(seed)
    downstreams = [downstream | {"match": "record_id"} for downstream in drill["flow"]["downstreams"]]
    assert_same_answers(tmp_path / "bundle", drill | {"flow": drill["flow"] | {"downstreams": downstreams}}, tables)


def assert_same_answers(root: Path, drill: Drill, tables: Tables) -> None:
    """Write a drill as a bundle, run the chain with long tables kept and dropped, and compare."""
    write_bundle(root, drill, tables)
    bundle = open_bundle(root)
    with open_engine(bundle) as keeping, open_engine(bundle) as dropping:
        run_queries(keeping)
        run_queries(dropping, keep_long=False)
        assert tables_of(keeping) >= LONG
        assert not tables_of(dropping) & LONG
        assert take_measures(keeping) == take_measures(dropping)
        assert all(keeping.arrow(name).equals(dropping.arrow(name)) for name in RELATIONS)


def test_what_was_dropped_comes_back_when_it_is_asked_for(tmp_path: Path) -> None:
    """A relation that reads a dropped table can still be computed."""
    write_bundle(tmp_path / "bundle", *random_drill(1))
    with open_engine(open_bundle(tmp_path / "bundle")) as engine:
        run_queries(engine)
        expected = engine.arrow("fates")
    with open_engine(open_bundle(tmp_path / "bundle")) as engine:
        run_queries(engine, keep_long=False)
        run_queries(engine, ["fates"])
        assert engine.arrow("fates").equals(expected)
