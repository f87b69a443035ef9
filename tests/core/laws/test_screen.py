"""The screen of settled words saves work and changes no answer: nor does how many offsets a word has."""

from __future__ import annotations

from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import define_functions, open_engine, run_queries
from rtoanalytics.engines.plan import SCREEN
from rtoanalytics.seal import seal_bundle
from tests.core.laws.drills import analyzed, answers_of_seed, seeds
from tests.reference import compute
from tests.reference.agreement import disagreements
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from pathlib import Path

WORDS = (1, 2, 5, 63)
"""Offsets in a word: no neighbors at all, few, a number that divides nothing, and as many as is usual."""


@pytest.mark.parametrize(("seed", "word_offsets"), list(zip(seeds(16), cycle(WORDS), strict=False)))
def test_the_twin_agrees_whatever_the_words_and_the_screen(tmp_path: Path, seed: int, word_offsets: int) -> None:
    """Words of any length, with the screen and without it, give what loops over rows give."""
    drill, tables = random_drill(seed)
    write_bundle(tmp_path / "bundle", drill, tables)
    expected = compute(drill, tables)
    for screen in (True, False):
        with open_engine(open_bundle(tmp_path / "bundle")) as engine:
            define_functions(engine.connection, word_offsets=word_offsets)
            run_queries(engine, screen=screen)
            assert disagreements(engine, expected) == []


@pytest.mark.parametrize("seed", seeds(4))
def test_results_are_the_same_bytes_without_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Every file of results/ has the same bytes with the screen and without it, before sealing and after."""
    screened = answers_of_seed(tmp_path / "bundle", seed)
    with monkeypatch.context() as patch:
        without_screen(patch)
        assert screened.differing(analyzed(tmp_path / "bundle")) == []
    seal_bundle(tmp_path / "bundle")
    sealed = analyzed(tmp_path / "bundle")
    without_screen(monkeypatch)
    assert sealed.differing(analyzed(tmp_path / "bundle")) == []


def without_screen(patch: pytest.MonkeyPatch) -> None:
    """From here on, analyses look at records one by one."""
    patch.setattr("rtoanalytics.analysis.run_queries", partial(run_queries, screen=False))


def test_random_drills_have_words_of_both_kinds(tmp_path: Path) -> None:
    """Among the drills compared are settled and open words, and settled ones in which the order is in doubt."""
    counts = dict.fromkeys((SCREEN, "open_words", "disordered_words"), 0)
    for seed in range(8):
        write_bundle(tmp_path / f"{seed}", *random_drill(seed))
        with open_engine(open_bundle(tmp_path / f"{seed}")) as engine:
            define_functions(engine.connection, word_offsets=WORDS[1])
            run_queries(engine, counts)
            for relation in counts:
                counts[relation] += len(engine.rows(relation))
    assert all(counts.values()), counts


def test_the_screen_can_be_switched_off(tmp_path: Path) -> None:
    """Without it no word is settled."""
    write_bundle(tmp_path / "bundle", *random_drill(3))
    with open_engine(open_bundle(tmp_path / "bundle")) as engine:
        run_queries(engine, ["open_words"], screen=False)
        assert engine.rows(SCREEN) == []
        assert len(engine.rows("open_words")) == len(engine.rows("acked_words"))
