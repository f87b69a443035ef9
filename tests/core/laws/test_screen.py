"""The screen of settled records saves work and changes no answer: nor does how many offsets a word has."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from rtoanalytics.bundle import open_bundle
from rtoanalytics.engines.duckdb import define_functions, open_engine, run_queries
from rtoanalytics.engines.plan import SCREEN, WORD_OFFSETS
from rtoanalytics.seal import seal_bundle
from tests.core.laws.drills import analyzed, answers_of_seed, seeds
from tests.reference import compute
from tests.reference.agreement import disagreements
from tests.reference.bundles import write_bundle
from tests.reference.random_drills import random_drill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rtoanalytics.engines.duckdb import Engine

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


@pytest.mark.parametrize(("seed", "word_offsets"), list(zip(seeds(12), cycle((5, 63, 1)), strict=False)))
def test_a_settled_record_is_what_it_would_be_called(tmp_path: Path, seed: int, word_offsets: int) -> None:
    """A settled bit stands for one record that the queries without the screen call once, and do not find missing.

    They call it duplicated, with n = 2, where it is one of the bits of those applied twice. Of the flow itself, which
    shows no effects, they call it unresolved. A scan can judge it where the bit says so.
    """
    write_bundle(tmp_path / "bundle", *random_drill(seed))
    with screened_and_not(tmp_path / "bundle", word_offsets) as (screened, unscreened):
        settled = [
            (page["page_number"], offset, *said_of(page, offset), page["is_log_judged"])
            for page in screened.rows("settled_pages")
            for offset in offsets_of(page, "settled_bits")
        ]
        looked_at = Counter((row["page_number"], row["record_offset"]) for row in unscreened.rows("record_fates"))
        called = {
            (row["page_number"], row["record_offset"], row["fate"], row["applied_rows"], row["is_log_judged"])
            for row in unscreened.rows("record_fates")
            if not row["is_log_missing"]
        }
    assert [record for record in settled if record not in called] == []
    assert [record for record in settled if looked_at[record[:2]] != 1] == []


@pytest.mark.parametrize(("seed", "word_offsets"), list(zip(seeds(12), cycle((5, 63, 1)), strict=False)))
def test_a_word_that_is_not_doubted_holds_no_reordering(tmp_path: Path, seed: int, word_offsets: int) -> None:
    """Where a word has settled records and disordered_words leaves it out, the queries without the screen find none.

    That goes for its open records too.
    """
    write_bundle(tmp_path / "bundle", *random_drill(seed))
    with screened_and_not(tmp_path / "bundle", word_offsets) as (screened, unscreened):
        pages = {tuple(row[name] for name in PAGE): row["page_number"] for row in screened.rows("ledger_pages")}
        trusted = words_of(screened.rows("settled_pages")) - words_of(screened.rows("disordered_words"))
        reordered = {
            (pages[tuple(row[name] for name in PAGE)], row["record_offset"] - row["record_offset"] % word_offsets)
            for row in unscreened.rows("reorderings")
        }
    assert trusted & reordered == set()


@pytest.mark.parametrize(("seed", "word_offsets"), list(zip(seeds(8), cycle((5, 63, 1)), strict=False)))
def test_what_is_counted_does_not_depend_on_the_screen(tmp_path: Path, seed: int, word_offsets: int) -> None:
    """Records acknowledged, missing and unjudged are as many with the screen as without it.

    So they are where one downstream shows records settled, and another matches the same ones by record_id.
    """
    write_bundle(tmp_path / "bundle", *random_drill(seed))
    with screened_and_not(tmp_path / "bundle", word_offsets, COUNTED) as (screened, unscreened):
        for name in COUNTED:
            assert sorted(map(str, screened.rows(name))) == sorted(map(str, unscreened.rows(name))), name


PAGE = ("downstream", "cluster", "topic", "partition")
"""What tells the rows of the ledger apart."""
COUNTED = ("recovery_point", "unscanned_records", "finding_counts", "ledger")
COMPARED = ("settled_pages", "disordered_words", "ledger_pages", "record_fates", "reorderings")


@contextmanager
def screened_and_not(
    root: Path, word_offsets: int, wanted: Iterable[str] = COMPARED
) -> Iterator[tuple[Engine, Engine]]:
    """A bundle analyzed with the screen and without it, in words of a given length."""
    with open_engine(open_bundle(root)) as screened, open_engine(open_bundle(root)) as unscreened:
        for engine, screen in ((screened, True), (unscreened, False)):
            define_functions(engine.connection, word_offsets=word_offsets)
            run_queries(engine, wanted, screen=screen)
        yield screened, unscreened


def offsets_of(word: dict[str, Any], bits: str) -> list[int]:
    """The offsets of a word for which a bit is set."""
    return [word["word_offset"] + place for place in range(WORD_OFFSETS) if word[bits] >> place & 1]


def said_of(page: dict[str, Any], offset: int) -> tuple[str, int]:
    """The fate of a settled record, and how often it was applied, as its word tells."""
    if not page["is_applied"]:
        return "unresolved", 0
    return ("duplicated", 2) if offset in offsets_of(page, "twice_bits") else ("once", 1)


def words_of(rows: list[dict[str, Any]]) -> set[tuple[int, int]]:
    """The words that rows are about, by ledger row and first offset."""
    return {(row["page_number"], row["word_offset"]) for row in rows}


def test_random_drills_have_words_of_every_kind(tmp_path: Path) -> None:
    """Among the drills compared are settled and open words, partly open ones, replays, and order that is in doubt."""
    told = (SCREEN, "open_words", "disordered_words", "reorderings", "twice_stretches")
    counts = dict.fromkeys((*told, "partly open"), 0)
    for seed in range(8):
        write_bundle(tmp_path / f"{seed}", *random_drill(seed))
        with open_engine(open_bundle(tmp_path / f"{seed}")) as engine:
            define_functions(engine.connection, word_offsets=5)
            run_queries(engine, told)
            for relation in told:
                counts[relation] += len(engine.rows(relation))
            settled = {(row["log_number"], row["word_offset"]) for row in engine.rows(SCREEN)}
            opened = {(row["log_number"], row["word_offset"]) for row in engine.rows("open_words")}
            counts["partly open"] += len(settled & opened)
    assert all(counts.values()), counts


def test_the_screen_can_be_switched_off(tmp_path: Path) -> None:
    """Without it no record is settled."""
    write_bundle(tmp_path / "bundle", *random_drill(3))
    with open_engine(open_bundle(tmp_path / "bundle")) as engine:
        run_queries(engine, ["open_words"], screen=False)
        assert engine.rows(SCREEN) == []
        assert len(engine.rows("open_words")) == len(engine.rows("acked_words"))
