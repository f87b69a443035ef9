"""Spark and DuckDB answer alike, to the byte."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.analysis import analyze_bundle
from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import open_engine as open_duckdb
from rtoanalytics.engines.duckdb import run_queries as run_on_duckdb
from rtoanalytics.engines.spark import chain, open_engine, relations, run_queries
from tests.core.laws.drills import Answers, analyzed
from tests.reference import compute
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill
from tests.spark.conftest import TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.xdist_group("spark")

SAMPLES = ("demo-broker-loss", "failover-with-replay", "overwritten-log")
SEEDS = (4, 44)
"""Drills that show between them what `test_the_seeds_are_worth_comparing` asks for."""
FATES = {"once", "duplicated", "lost", "skipped", "pending", "filtered", "unresolved"}
FINDINGS = {"run", "commit_rewind", "commit_jump", "offset_reset", "commit_above_log_end"}


def analyzed_on_spark(root: Path) -> Answers:
    """Analyze a bundle on Spark and read back every file it wrote."""
    scorecard = analyze_bundle(root, spark=TARGET)
    return Answers(scorecard, {path.name: path.read_bytes() for path in sorted((root / "results").iterdir())})


def compared(root: Path) -> list[str]:
    """The files of results/ that differ between the engines."""
    plain = analyzed(root)
    shutil.rmtree(root / "results")
    on_spark = analyzed_on_spark(root)
    assert plain.scorecard == on_spark.scorecard
    return plain.differing(on_spark)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("name", SAMPLES)
def test_samples_give_the_same_bytes(name: str, repository: Path, tmp_path: Path) -> None:
    """Every file of results/ of a recorded drill is the same from both engines, the scorecard too."""
    shutil.copytree(repository / "sample_data" / name, tmp_path / name)
    assert compared(tmp_path / name) == []


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("seed", SEEDS)
def test_random_drills_give_the_same_bytes(seed: int, tmp_path: Path) -> None:
    """The same of drills that nobody thought up, with rows in any order and over several files a table."""
    drill, tables = random_drill(seed)
    write_bundle(tmp_path / "bundle", drill, tables, shuffle_seed=seed, files=2)
    assert compared(tmp_path / "bundle") == []


def test_the_seeds_are_worth_comparing() -> None:
    """Between them the random drills match by record_id, deliver many, know several clusters and overwritten logs."""
    found: set[str] = set()
    for seed in SEEDS:
        drill, tables = random_drill(seed)
        answers = compute(drill, tables)
        found |= {row["fate"] for row in answers["fates"]} | {row["kind"] for row in answers["findings"]}
        found |= {str(downstream.get("match")) for downstream in drill["flow"].get("downstreams", [])}
        found |= {str(downstream.get("delivery")) for downstream in drill["flow"].get("downstreams", [])}
        found |= {"overwritten" for row in answers["ledger"] if row["overwritten"]}
        found |= {"clusters"} if len({row["cluster"] for row in tables["acks"]}) > 1 else set()
    assert {*FATES, *FINDINGS, "record_id", "many", "at_most_one", "overwritten", "clusters"} <= found


@pytest.mark.parametrize("shares_disks", [True, False], ids=["this machine", "a cluster"])
def test_long_relations_give_the_same_ledger(
    *, shares_disks: bool, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relations that are too long for the driver, and stay as Parquet or as checkpoints, change no answer."""
    for limit in ("MAX_ROWS_ON_DRIVER", "MAX_ROWS_IN_HAND"):
        monkeypatch.setattr(relations, limit, 4)
    monkeypatch.setattr(chain, "MAX_ROWS_ON_DRIVER", 4)
    monkeypatch.setattr(chain, "SMALL_EVIDENCE_ROWS", 0)
    wanted = ("ledger", "produced_twice")
    write_bundle(tmp_path / "bundle", *random_drill(SEEDS[0]))
    bundle = open_bundle(tmp_path / "bundle")
    with open_duckdb(bundle) as engine:
        run_on_duckdb(engine, wanted)
        expected = {name: engine.arrow(name) for name in wanted}
    with open_engine(bundle, spark, shares_disks=shares_disks) as engine_on_spark:
        run_queries(engine_on_spark, wanted, keep_long=False)
        for name in wanted:
            assert engine_on_spark.arrow(name).equals(expected[name]), name
    assert spark.catalog.listTables() == []
